"""Until when the certificates in a PEM file are valid. Reads as much of DER as that takes.

Certificate    = SEQUENCE { TBSCertificate, ... }
TBSCertificate = SEQUENCE { [0] version?, serial, signature, issuer, Validity, ... }
Validity       = SEQUENCE { not before, not after }       (RFC 5280, 4.1)
"""

import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

BEGIN: Final = "-----BEGIN CERTIFICATE-----"
END: Final = "-----END CERTIFICATE-----"
VERSION: Final = 0xA0
UTC_TIME: Final = 0x17


def expiries(path: str) -> list[datetime]:
    """When each certificate of the file ends, in their order.

    Raises OSError, and ValueError for a file without certificates or with what is none.
    """
    text = Path(path).read_text(encoding="ascii", errors="replace")
    found = []
    while (start := text.find(BEGIN)) >= 0:
        end = text.find(END, start)
        if end < 0:
            raise ValueError(f"{path}: a certificate without its end")
        found.append(not_after(ssl.PEM_cert_to_DER_cert(text[start : end + len(END)])))
        text = text[end:]
    if not found:
        raise ValueError(f"{path}: no certificate in it")
    return found


def not_after(der: bytes) -> datetime:
    """When a certificate ends. Raises ValueError for what is no certificate."""
    try:
        _, start, end = next(elements(der, 0, len(der)))
        _, start, end = next(elements(der, start, end))
        fields = list(elements(der, start, end))
        _, start, end = fields[4 if fields[0][0] == VERSION else 3]
        _, (tag, start, end) = elements(der, start, end)
    except (IndexError, StopIteration, ValueError):
        raise ValueError("this is no X.509 certificate") from None
    return moment(tag, der[start:end].decode("ascii", "replace"))


def elements(der: bytes, start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Tag of each element between two places, and where its content begins and ends. Raises IndexError."""
    while start < end:
        tag, length = der[start], der[start + 1]
        start += 2
        if length & 0x80:
            count = length & 0x7F
            length = int.from_bytes(der[start : start + count], "big")
            start += count
        if start + length > end:
            raise IndexError(start)
        yield tag, start, start + length
        start += length


def moment(tag: int, text: str) -> datetime:
    """A point in time as certificates spell it: YYMMDDhhmmssZ, of 1950 to 2049, or YYYYMMDDhhmmssZ."""
    if tag == UTC_TIME:
        text = ("20" if int(text[:2]) < 50 else "19") + text
    return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)
