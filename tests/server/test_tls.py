"""`ssl_options` as an SSLContext: what is accepted, what clients meet, and how a mistake is reported."""

from __future__ import annotations

import datetime
import logging
import ssl
from pathlib import Path

import attrs
import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from amq.config.settings import TlsSettings
from amq.server.errors import SettingError, StartError
from amq.server.tls import server_context


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def options(authority: trustme.CA, tmp_path: Path) -> TlsSettings:
    """A server certificate for localhost, and the authority that signed it."""
    certificate = authority.issue_cert("localhost")
    certificate.private_key_pem.write_to_path(tmp_path / "key.pem")
    (tmp_path / "cert.pem").write_bytes(b"".join(blob.bytes() for blob in certificate.cert_chain_pems))
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    return TlsSettings(
        certfile=str(tmp_path / "cert.pem"), keyfile=str(tmp_path / "key.pem"), cacertfile=str(tmp_path / "ca.pem")
    )


def client_context(authority: trustme.CA, certificate: trustme.LeafCert | None = None) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    if certificate is not None:
        certificate.configure_cert(context)
    return context


def shake_hands(server: ssl.SSLContext, client: ssl.SSLContext) -> tuple[ssl.SSLObject, ssl.SSLObject]:
    """Both ends of a finished handshake, in memory; raises what either of them raises."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [
        server.wrap_bio(to_server, to_client, server_side=True),
        client.wrap_bio(to_client, to_server, server_hostname="localhost"),
    ]
    waiting = list(ends)
    for _ in range(20):
        for end in list(waiting):
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
            waiting.remove(end)
        if not waiting:
            return ends[0], ends[1]
    raise AssertionError("the handshake does not come to an end")


def test_a_client_that_trusts_the_authority_gets_through(options: TlsSettings, authority: trustme.CA) -> None:
    server, _ = shake_hands(server_context(options), client_context(authority))
    assert server.version() == "TLSv1.3"
    assert not server.getpeercert()


def test_a_client_certificate_is_shown_to_the_broker_when_asked_for(
    options: TlsSettings, authority: trustme.CA
) -> None:
    options = attrs.evolve(options, verify="verify_peer")
    certificate = authority.issue_cert("client.example", common_name="anna")
    server, _ = shake_hands(server_context(options), client_context(authority, certificate))
    shown = server.getpeercert()
    assert shown is not None
    assert ((("commonName", "anna"),)) in shown["subject"]


def test_a_client_without_a_certificate_may_come_in_unless_it_must_have_one(
    options: TlsSettings, authority: trustme.CA
) -> None:
    options = attrs.evolve(options, verify="verify_peer")
    shake_hands(server_context(options), client_context(authority))
    options = attrs.evolve(options, fail_if_no_peer_cert=True)
    with pytest.raises(ssl.SSLError, match="peer did not return a certificate"):
        shake_hands(server_context(options), client_context(authority))


def test_a_certificate_of_another_authority_is_refused(options: TlsSettings, authority: trustme.CA) -> None:
    options = attrs.evolve(options, verify="verify_peer")
    stranger = trustme.CA().issue_cert("client.example")
    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(server_context(options), client_context(authority, stranger))


@pytest.mark.skipif(not hasattr(ssl.SSLObject, "get_verified_chain"), reason="needs Python 3.13")
def test_a_chain_may_have_as_many_intermediates_as_depth_says(options: TlsSettings, authority: trustme.CA) -> None:
    certificate = authority.create_child_ca().issue_cert("client.example")
    options = attrs.evolve(options, verify="verify_peer", depth=1)
    shake_hands(server_context(options), client_context(authority, certificate))
    options = attrs.evolve(options, depth=0)
    with pytest.raises(ssl.SSLCertVerificationError, match="more than 0 intermediates"):
        shake_hands(server_context(options), client_context(authority, certificate))


@pytest.mark.skipif(hasattr(ssl.SSLObject, "get_verified_chain"), reason="Python 3.13 can check it")
def test_a_depth_that_cannot_be_checked_is_mentioned(options: TlsSettings, caplog: pytest.LogCaptureFixture) -> None:
    server_context(attrs.evolve(options, verify="verify_peer", depth=1))
    assert "ssl_options.depth" in caplog.text


def test_only_the_chosen_versions_are_spoken(options: TlsSettings, authority: trustme.CA) -> None:
    context = server_context(attrs.evolve(options, versions=("tlsv1.2",)))
    server, _ = shake_hands(context, client_context(authority))
    assert server.version() == "TLSv1.2"
    client = client_context(authority)
    client.minimum_version = ssl.TLSVersion.TLSv1_3
    with pytest.raises(ssl.SSLError):
        shake_hands(context, client)


def test_only_the_chosen_ciphers_are_used(options: TlsSettings, authority: trustme.CA) -> None:
    cipher = "ECDHE-ECDSA-AES256-GCM-SHA384"
    context = server_context(attrs.evolve(options, versions=("tlsv1.2",), ciphers=(cipher,)))
    server, _ = shake_hands(context, client_context(authority))
    used = server.cipher()
    assert used is not None
    assert used[0] == cipher


def test_a_choice_among_tls_1_3_suites_is_mentioned_as_without_effect(
    options: TlsSettings, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    server_context(attrs.evolve(options, ciphers=("TLS_AES_256_GCM_SHA384",)))
    assert "ssl_options.ciphers" in caplog.text


def test_an_encrypted_key_opens_with_its_password(options: TlsSettings, tmp_path: Path) -> None:
    encrypt(Path(options.keyfile or ""), b"sesame")
    server_context(attrs.evolve(options, password="sesame"))
    for wrong in ("wrong", "x" * 2000):
        with pytest.raises(SettingError, match=r"^ssl_options\.password: the key in .*key\.pem does not open with it"):
            server_context(attrs.evolve(options, password=wrong))
    with pytest.raises(SettingError, match=r"^ssl_options\.keyfile: .* is encrypted, .* ssl_options\.password"):
        server_context(options)


def encrypt(keyfile: Path, password: bytes) -> None:
    key = load_pem_private_key(keyfile.read_bytes(), None)
    keyfile.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(password)))


@pytest.mark.parametrize("option", ["certfile", "keyfile", "cacertfile"])
def test_a_file_that_is_missing_is_named(options: TlsSettings, option: str, tmp_path: Path) -> None:
    options = attrs.evolve(options, **{option: str(tmp_path / "nowhere.pem")})
    with pytest.raises(StartError) as caught:
        server_context(options)
    assert str(caught.value) == (
        f"ssl_options.{option}: cannot read {tmp_path}/nowhere.pem: No such file or directory, "
        "allowed: a file that the broker may read"
    )


@pytest.mark.parametrize("option", ["certfile", "keyfile", "cacertfile"])
def test_a_file_that_is_no_pem_is_named(options: TlsSettings, option: str, tmp_path: Path) -> None:
    (tmp_path / "text.pem").write_text("hello")
    with pytest.raises(SettingError) as caught:
        server_context(attrs.evolve(options, **{option: str(tmp_path / "text.pem")}))
    assert caught.value.field == f"tls.{option}"
    assert "text.pem" in str(caught.value)


@pytest.mark.parametrize("kind", list(trustme.KeyType))
def test_a_key_of_another_certificate_is_reported(
    options: TlsSettings, authority: trustme.CA, tmp_path: Path, kind: trustme.KeyType
) -> None:
    other = authority.issue_cert("other.example", key_type=kind)
    other.private_key_pem.write_to_path(tmp_path / "other.pem")
    with pytest.raises(SettingError, match=r"^ssl_options\.keyfile: .* does not belong to the certificate"):
        server_context(attrs.evolve(options, keyfile=str(tmp_path / "other.pem")))


def test_a_certificate_that_openssl_finds_too_weak_is_reported_with_the_reason(
    options: TlsSettings, tmp_path: Path
) -> None:
    (tmp_path / "weak.pem").write_bytes(self_signed(rsa.generate_private_key(65537, 1024)))
    with pytest.raises(SettingError, match=r"^ssl_options\.certfile: OpenSSL refuses .*weak\.pem: ee key too small"):
        server_context(attrs.evolve(options, certfile=str(tmp_path / "weak.pem")))


def self_signed(key: rsa.RSAPrivateKey) -> bytes:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + datetime.timedelta(days=1))
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)


@pytest.mark.parametrize("ciphers", [("ROT13",), ("ECDHE-ECDSA-AES256-GCM-SHA384", "ROT13")])
def test_an_unknown_cipher_is_named_even_among_known_ones(options: TlsSettings, ciphers: tuple[str, ...]) -> None:
    with pytest.raises(SettingError, match=r"^ssl_options\.ciphers: OpenSSL has no 'ROT13'") as caught:
        server_context(attrs.evolve(options, ciphers=ciphers))
    assert (caught.value.field, caught.value.value) == ("tls.ciphers", "ROT13")


def test_checking_clients_without_an_authority_is_a_mistake(options: TlsSettings) -> None:
    with pytest.raises(SettingError, match=r"^ssl_options\.verify: verify_peer .* ssl_options\.cacertfile"):
        server_context(attrs.evolve(options, verify="verify_peer", cacertfile=None))


def test_versions_with_a_gap_are_a_mistake(options: TlsSettings) -> None:
    with pytest.raises(StartError, match=r"^ssl_options\.versions: tlsv1\.2 is left out"):
        server_context(attrs.evolve(options, versions=("tlsv1.1", "tlsv1.3")))
