"""The user name in a client certificate: its distinguished name, its common name or a subject alternative name.

Reads the form in which Python's `ssl` hands out a verified certificate, and no DER.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import attrs

# Names of attribute types: OpenSSL's long name -> RFC 4514's keyword, as RabbitMQ writes them.
KEYWORDS: Final = {
    "surname": "SN",
    "givenName": "GIVENNAME",
    "initials": "INITIALS",
    "generationQualifier": "GENERATIONQUALIFIER",
    "commonName": "CN",
    "localityName": "L",
    "stateOrProvinceName": "ST",
    "organizationName": "O",
    "organizationalUnitName": "OU",
    "title": "TITLE",
    "countryName": "C",
    "serialNumber": "SERIALNUMBER",
    "pseudonym": "PSEUDONYM",
    "domainComponent": "DC",
    "emailAddress": "EMAILADDRESS",
    "streetAddress": "STREET",
    "userId": "UID",
}
# ssl_cert_login_san_type -> Python's word for that kind of name.
SAN_KINDS: Final = {"dns": "DNS", "ip": "IP Address", "email": "email", "uri": "URI", "other_name": "othername"}
ESCAPED: Final = b'"+,;<>\\'


@attrs.frozen
class CertificateNames:
    """Where the user name stands (`ssl_cert_login_from`, `ssl_cert_login_san_type`, `ssl_cert_login_san_index`)."""

    login_from: str = "distinguished_name"
    san_type: str = "dns"
    san_index: int = 0

    def name_in(self, certificate: Mapping[str, Any]) -> str | None:
        """The user name, or None when the certificate has none of that kind."""
        if self.login_from == "common_name":
            # RabbitMQ joins several common names like that too.
            return ",".join(value for key, value in attributes(certificate) if key == "commonName") or None
        if self.login_from == "subject_alternative_name":
            return self._alternative_name(certificate)
        return distinguished_name(certificate) or None

    def _alternative_name(self, certificate: Mapping[str, Any]) -> str | None:
        kind = SAN_KINDS[self.san_type]
        found = [str(value) for key, value in certificate.get("subjectAltName", ()) if key == kind]
        return found[self.san_index] if self.san_index < len(found) else None


def attributes(certificate: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Type and value of every attribute of the subject, in the certificate's order."""
    for relative_name in certificate.get("subject", ()):
        yield from relative_name


def distinguished_name(certificate: Mapping[str, Any]) -> str:
    """The subject as RFC 4514 writes it: last part first, joined by commas."""
    parts = [
        "+".join(f"{KEYWORDS.get(key, key)}={escape(value)}" for key, value in relative_name)
        for relative_name in certificate.get("subject", ())
    ]
    return ",".join(reversed(parts))


def escape(value: str) -> str:
    """An attribute's value as RabbitMQ escapes it: RFC 4514, and every octet outside of printable ASCII as `\\XX`."""
    octets = value.encode()
    escaped = []
    for position, octet in enumerate(octets):
        at_start = position == 0 and octet in b" #"
        at_end = position == len(octets) - 1 and octet == 0x20
        if at_start or at_end or octet in ESCAPED:
            escaped.append("\\" + chr(octet))
        elif octet < 32 or octet >= 126:
            escaped.append(f"\\{octet:02X}")
        else:
            escaped.append(chr(octet))
    return "".join(escaped)
