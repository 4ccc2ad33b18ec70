"""User names in client certificates."""

import ssl
from typing import Any

import pytest
import trustme

from amq.auth.certificates import CertificateNames, distinguished_name, escape

CERTIFICATE: dict[str, Any] = {
    "subject": (
        (("countryName", "DE"),),
        (("organizationName", "Acme, Inc."),),
        (("organizationalUnitName", "a"), ("organizationalUnitName", "b")),
        (("commonName", "worker"),),
        (("commonName", "second"),),
    ),
    "subjectAltName": (("DNS", "a.example"), ("email", "w@example"), ("DNS", "b.example"), ("URI", "urn:w")),
}


def test_the_distinguished_name_is_written_from_its_end() -> None:
    assert CertificateNames().name_in(CERTIFICATE) == "CN=second,CN=worker,OU=a+OU=b,O=Acme\\, Inc.,C=DE"


def test_an_attribute_without_a_keyword_keeps_its_name() -> None:
    assert distinguished_name({"subject": ((("1.2.3.4", "x"),),)}) == "1.2.3.4=x"


def test_several_common_names_are_joined() -> None:
    assert CertificateNames("common_name").name_in(CERTIFICATE) == "worker,second"


@pytest.mark.parametrize(
    ("san_type", "index", "name"),
    [
        ("dns", 0, "a.example"),
        ("dns", 1, "b.example"),
        ("dns", 2, None),
        ("email", 0, "w@example"),
        ("uri", 0, "urn:w"),
        ("ip", 0, None),
    ],
)
def test_an_alternative_name_is_chosen_by_type_and_index(san_type: str, index: int, name: str | None) -> None:
    assert CertificateNames("subject_alternative_name", san_type, index).name_in(CERTIFICATE) == name


@pytest.mark.parametrize("login_from", ["distinguished_name", "common_name", "subject_alternative_name"])
def test_a_certificate_without_that_name_has_none(login_from: str) -> None:
    assert CertificateNames(login_from).name_in({}) is None


@pytest.mark.parametrize(
    ("value", "escaped"),
    [
        ("plain", "plain"),
        (" # ", "\\ #\\ "),
        ("#1", "\\#1"),
        ('a"+,;<>\\b', 'a\\"\\+\\,\\;\\<\\>\\\\b'),
        ("é\n~", "\\C3\\A9\\0A\\7E"),
    ],
)
def test_values_are_escaped_as_rabbitmq_escapes_them(value: str, escaped: str) -> None:
    assert escape(value) == escaped


def test_a_certificate_as_pythons_ssl_hands_it_out() -> None:
    authority = trustme.CA()
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.verify_mode = ssl.CERT_REQUIRED
    authority.issue_cert("localhost").configure_cert(server)
    authority.configure_trust(server)
    client = ssl.create_default_context()
    authority.configure_trust(client)
    identity = authority.issue_cert("w.example", common_name="worker", organization_name="Acme")
    identity.configure_cert(client)

    certificate = certificate_seen_by_server(server, client)

    assert CertificateNames("common_name").name_in(certificate) == "worker"
    assert CertificateNames("subject_alternative_name").name_in(certificate) == "w.example"
    assert distinguished_name(certificate).startswith("CN=worker,")
    assert distinguished_name(certificate).endswith(",O=Acme")


def certificate_seen_by_server(server: ssl.SSLContext, client: ssl.SSLContext) -> dict[str, Any]:
    """Shake hands in memory."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours = server.wrap_bio(to_server, to_client, server_side=True)
    theirs = client.wrap_bio(to_client, to_server, server_hostname="localhost")
    for _ in range(4):
        for end in (theirs, ours):
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
    certificate = ours.getpeercert()
    assert certificate is not None
    return dict(certificate)
