"""Clients over TLS: pika against an embedded broker, with and without certificates of their own."""

from __future__ import annotations

import gc
import logging
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any

import pika
import pytest
import trustme

from amq import embed
from amq.config.settings import Listener, TlsSettings

OPENED: list[pika.BlockingConnection] = []

Start = Callable[..., AbstractContextManager[embed.ThreadedBroker]]


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(autouse=True)
def closed_connections() -> Iterator[None]:
    """Close what the test has left open: pika keeps sockets of connections that the broker closed."""
    yield
    while OPENED:
        with suppress(pika.exceptions.AMQPError):
            OPENED.pop().close()


@pytest.fixture
def start(authority: trustme.CA, tmp_path: Path) -> Start:
    """Starts a broker with a TLS listener; arguments of TlsSettings in `tls`, of Settings besides."""
    certificate = authority.issue_cert("localhost", "127.0.0.1")
    certificate.private_key_pem.write_to_path(tmp_path / "key.pem")
    certificate.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    files = {
        "certfile": str(tmp_path / "cert.pem"),
        "keyfile": str(tmp_path / "key.pem"),
        "cacertfile": str(tmp_path / "ca.pem"),
    }

    @contextmanager
    def start(tls: dict[str, Any] | None = None, **settings: Any) -> Iterator[embed.ThreadedBroker]:
        listeners = (Listener("127.0.0.1", 0, tls=True),)
        with embed.running(listeners=listeners, tls=TlsSettings(**files, **(tls or {})), **settings) as broker:
            yield broker

    return start


def connect(
    broker: embed.ThreadedBroker,
    authority: trustme.CA,
    certificate: trustme.LeafCert | None = None,
    credentials: Any = pika.ConnectionParameters.DEFAULT_CREDENTIALS,
) -> pika.BlockingConnection:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    if certificate is not None:
        certificate.configure_cert(context)
    connection = pika.BlockingConnection(
        pika.ConnectionParameters(
            broker.host,
            broker.port,
            credentials=credentials,
            ssl_options=pika.SSLOptions(context, "localhost"),
            heartbeat=0,
            socket_timeout=20,
            stack_timeout=20,
        )
    )
    OPENED.append(connection)
    return connection


def test_messages_of_every_size_go_both_ways(start: Start, authority: trustme.CA) -> None:
    with start() as broker:
        assert broker.url.startswith("amqps://")
        connection = connect(broker, authority)
        channel = connection.channel()
        channel.queue_declare("q")
        for size in (0, 1, 16_384, 3_000_000):
            channel.basic_publish("", "q", b"x" * size)
        channel.confirm_delivery()
        channel.basic_publish("", "q", b"end")
        assert [len(channel.basic_get("q", auto_ack=True)[2]) for _ in range(5)] == [0, 1, 16_384, 3_000_000, 3]
        connection.close()


EXTERNAL = {"auth_mechanisms": ("PLAIN", "EXTERNAL"), "default_user": "anna", "ssl_cert_login_from": "common_name"}


def test_a_certificate_is_enough_to_log_in(start: Start, authority: trustme.CA) -> None:
    certificate = authority.issue_cert("client.example", common_name="anna")
    with start({"verify": "verify_peer"}, **EXTERNAL) as broker:
        connection = connect(broker, authority, certificate, pika.credentials.ExternalCredentials())
        channel = connection.channel()
        channel.queue_declare("q")
        channel.confirm_delivery()
        # Only the user that one is logged in as may stand in user_id.
        channel.basic_publish("", "q", b"", pika.BasicProperties(user_id="anna"))
        connection.close()


def test_the_distinguished_name_can_be_the_user(start: Start, authority: trustme.CA) -> None:
    certificate = authority.issue_cert("client.example", common_name="anna", organization_name="shop")
    name = ",".join(reversed([f"{key}={value}" for key, value in subject(certificate)]))
    settings = {**EXTERNAL, "default_user": name, "ssl_cert_login_from": "distinguished_name"}
    with start({"verify": "verify_peer"}, **settings) as broker:
        connect(broker, authority, certificate, pika.credentials.ExternalCredentials()).close()


def subject(certificate: trustme.LeafCert) -> list[tuple[str, str]]:
    """Keyword and value of each part of the certificate's subject, in its order."""
    from cryptography.x509 import load_pem_x509_certificate

    parsed = load_pem_x509_certificate(certificate.cert_chain_pems[0].bytes())
    return [(attribute.rfc4514_attribute_name, str(attribute.value)) for attribute in parsed.subject]


@pytest.mark.parametrize("name", ["bert", None])
def test_a_certificate_of_nobody_or_none_is_no_login(start: Start, authority: trustme.CA, name: str | None) -> None:
    certificate = authority.issue_cert("client.example", common_name=name) if name else None
    with (
        start({"verify": "verify_peer"}, **EXTERNAL) as broker,
        pytest.raises(pika.exceptions.ProbableAuthenticationError, match="mechanism EXTERNAL"),
    ):
        connect(broker, authority, certificate, pika.credentials.ExternalCredentials())


def test_a_client_without_a_certificate_is_turned_away_where_one_is_needed(start: Start, authority: trustme.CA) -> None:
    with start({"verify": "verify_peer", "fail_if_no_peer_cert": True}) as broker:
        with pytest.raises(pika.exceptions.AMQPConnectionError):
            connect(broker, authority)
        certificate = authority.issue_cert("client.example")
        connect(broker, authority, certificate).close()


def test_a_client_that_speaks_no_tls_disturbs_nobody(
    start: Start, authority: trustme.CA, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="amq")
    with start() as broker:
        with socket.create_connection((broker.host, broker.port)) as plain:
            plain.sendall(b"AMQP\0\0\x09\x01")
            while plain.recv(1000):
                pass
        connect(broker, authority).close()
    assert any(
        "TLS handshake with 127.0.0.1:" in record.getMessage() and "failed" in record.getMessage()
        for record in caplog.records
    )


def test_a_client_that_is_silent_in_its_tls_handshake_is_cut_off(start: Start, authority: trustme.CA) -> None:
    with start(ssl_handshake_timeout=50) as broker, socket.create_connection((broker.host, broker.port), 20) as silent:
        assert silent.recv(1) == b""
        connect(broker, authority).close()


def test_a_cut_connection_is_noticed(start: Start, authority: trustme.CA) -> None:
    with start() as broker:
        connection = connect(broker, authority)
        broker.drop_connections()
        with pytest.raises(pika.exceptions.StreamLostError):
            connection.sleep(20)


def test_a_stopping_broker_says_so_over_tls_too(start: Start, authority: trustme.CA) -> None:
    with start() as broker:
        connection = connect(broker, authority)
    with pytest.raises(pika.exceptions.ConnectionClosedByBroker, match="shutdown"):
        connection.sleep(20)


@pytest.mark.skipif(not hasattr(gc, "freeze"), reason="what is in no cycle is freed at once by CPython only")
@pytest.mark.parametrize("polite", [True, False], ids=["in good order", "before it has begun"])
def test_a_client_that_is_gone_leaves_nothing_to_the_collector(
    start: Start, authority: trustme.CA, polite: bool
) -> None:
    gc.collect()
    gc.disable()
    try:
        with start() as broker:
            if polite:
                connect(broker, authority).close()
            else:
                with socket.create_connection((broker.host, broker.port)) as stranger:
                    stranger.sendall(b"this is no TLS")
                    assert stranger.recv(1000) == b""
        assert not any(isinstance(each, ssl.SSLObject) for each in gc.get_objects())
    finally:
        gc.enable()
