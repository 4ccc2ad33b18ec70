"""SASL mechanisms: what the client sends, what is read from it."""

from typing import Any

import pytest

from amq.auth.certificates import CertificateNames
from amq.auth.credentials import Challenge, Credentials, LoginPeer, Refusal
from amq.auth.mechanisms import Mechanism, Mechanisms
from amq.errors import COMMAND_INVALID, SYNTAX_ERROR, ConnectionFault
from amq.wire import tables

PLAIN_PEER = LoginPeer(loopback=True)
TLS_PEER = LoginPeer(loopback=False, tls=True)
ALL = ("EXTERNAL", "PLAIN", "AMQPLAIN", "RABBIT-CR-DEMO")


def begin(name: str, peer: LoginPeer = PLAIN_PEER) -> Mechanism:
    return Mechanisms(ALL, CertificateNames("common_name")).begin(name, peer)


def amqplain(**fields: tuple[str, Any]) -> bytes:
    return tables.encode(fields)[4:]


def malformed(name: str, response: bytes) -> None:
    with pytest.raises(ConnectionFault) as raised:
        begin(name).start(response)
    assert raised.value.code == SYNTAX_ERROR


def test_plain_is_nul_user_nul_password() -> None:
    assert begin("PLAIN").start(b"\0guest\0secret") == Credentials("guest", b"secret")
    assert begin("PLAIN").start("\0jürgen\0pä".encode()) == Credentials("jürgen", "pä".encode())
    assert begin("PLAIN").start(b"\0guest\0") == Credentials("guest", b"")


@pytest.mark.parametrize("response", [b"", b"guest", b"\0guest", b"a\0guest\0guest", b"\0a\0b\0c", b"guest\0guest"])
def test_plain_with_anything_but_two_nuls_and_nothing_before_them_is_malformed(response: bytes) -> None:
    malformed("PLAIN", response)


def test_a_name_that_is_no_utf_8_is_still_a_name() -> None:
    assert begin("PLAIN").start(b"\0\xff\0x") == Credentials("\udcff", b"x")


def test_amqplain_is_a_table_with_login_and_password() -> None:
    response = amqplain(LOGIN=("S", b"guest"), PASSWORD=("S", b"secret"), EXTRA=("I", 1))
    assert begin("AMQPLAIN").start(response) == Credentials("guest", b"secret")


def test_amqplain_takes_binary_fields_as_well() -> None:
    response = amqplain(LOGIN=("x", b"guest"), PASSWORD=("x", b"secret"))
    assert begin("AMQPLAIN").start(response) == Credentials("guest", b"secret")


def test_amqplain_without_the_two_fields_or_with_other_types_is_malformed() -> None:
    malformed("AMQPLAIN", b"")
    malformed("AMQPLAIN", amqplain(LOGIN=("S", b"guest")))
    malformed("AMQPLAIN", amqplain(PASSWORD=("S", b"guest")))
    malformed("AMQPLAIN", amqplain(LOGIN=("S", b"guest"), PASSWORD=("I", 7)))


def test_amqplain_that_is_no_table_is_malformed() -> None:
    whole = amqplain(LOGIN=("S", b"guest"), PASSWORD=("S", b"secret"))
    for response in (b"\0guest\0guest", whole[:-1], whole + b"\x05"):
        malformed("AMQPLAIN", response)


def test_external_takes_the_name_from_the_certificate() -> None:
    certificate = {"subject": ((("commonName", "worker-1"),),)}
    peer = LoginPeer(loopback=False, tls=True, certificate=certificate)
    assert begin("EXTERNAL", peer).start(b"") == Credentials("worker-1", None)


def test_external_without_a_certificate_or_a_name_in_it_is_refused() -> None:
    assert begin("EXTERNAL", TLS_PEER).start(b"") == Refusal("connection peer presented no TLS (x.509) certificate")
    nameless = LoginPeer(loopback=False, tls=True, certificate={"subject": ((("countryName", "DE"),),)})
    assert begin("EXTERNAL", nameless).start(b"") == Refusal("no name found in the peer's certificate")


def test_the_demonstration_asks_for_the_password_in_a_second_step() -> None:
    mechanism = begin("RABBIT-CR-DEMO")
    assert mechanism.start(b"guest") == Challenge(b"Please tell me your password")
    assert mechanism.proceed(b"My password is secret") == Credentials("guest", b"secret")
    with pytest.raises(ConnectionFault) as raised:
        mechanism.proceed(b"secret")
    assert raised.value.code == SYNTAX_ERROR


@pytest.mark.parametrize("name", ["PLAIN", "AMQPLAIN"])
def test_other_mechanisms_have_no_second_step(name: str) -> None:
    with pytest.raises(ConnectionFault) as raised:
        begin(name).proceed(b"")
    assert raised.value.code == SYNTAX_ERROR


def test_mechanisms_are_offered_in_the_configured_order_and_external_on_tls_only() -> None:
    mechanisms = Mechanisms(ALL, CertificateNames())
    assert mechanisms.offered(TLS_PEER) == ["EXTERNAL", "PLAIN", "AMQPLAIN", "RABBIT-CR-DEMO"]
    assert mechanisms.offered(PLAIN_PEER) == ["PLAIN", "AMQPLAIN", "RABBIT-CR-DEMO"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("MAGIC", "unknown authentication mechanism 'MAGIC'"),
        ("plain", "unknown authentication mechanism 'plain'"),
        ("", "unknown authentication mechanism ''"),
        ("EXTERNAL", "invalid authentication mechanism 'EXTERNAL'"),
        ("RABBIT-CR-DEMO", "invalid authentication mechanism 'RABBIT-CR-DEMO'"),
    ],
)
def test_a_mechanism_that_is_not_offered_is_command_invalid(name: str, text: str) -> None:
    mechanisms = Mechanisms(("PLAIN", "EXTERNAL"), CertificateNames())
    with pytest.raises(ConnectionFault) as raised:
        mechanisms.begin(name, PLAIN_PEER)
    assert (raised.value.code, raised.value.text) == (COMMAND_INVALID, text)


def test_credentials_do_not_show_the_password() -> None:
    assert "secret" not in repr(Credentials("guest", b"secret"))


def test_anonymous_is_whom_the_configuration_names_or_nobody() -> None:
    somebody = Credentials("guest", b"guest")
    mechanisms = Mechanisms(("ANONYMOUS",), CertificateNames(), somebody)
    assert mechanisms.offered(PLAIN_PEER) == ["ANONYMOUS"]
    assert mechanisms.begin("ANONYMOUS", PLAIN_PEER).start(b"trace@example.com") == somebody
    nobody = Mechanisms(("ANONYMOUS",), CertificateNames())
    assert nobody.begin("ANONYMOUS", PLAIN_PEER).start(b"") == Refusal("anonymous logins are switched off")
