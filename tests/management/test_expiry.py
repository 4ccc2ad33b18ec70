"""Until when certificates are valid."""

import ssl
from datetime import UTC, datetime
from pathlib import Path

import pytest
import trustme

from amq.management.expiry import expiries, not_after


def der_of(end: datetime) -> bytes:
    leaf = trustme.CA().issue_cert("localhost", not_after=end)
    return ssl.PEM_cert_to_DER_cert(leaf.cert_chain_pems[0].bytes().decode())


@pytest.mark.parametrize("year", [2000, 2031, 2049, 2050, 2200, 9998])
def test_the_end_of_a_certificate_is_read_whichever_way_it_is_spelled(year: int) -> None:
    end = datetime(year, 2, 28, 23, 59, 58, tzinfo=UTC)
    assert not_after(der_of(end)) == end


def test_every_certificate_of_a_file_counts(tmp_path: Path) -> None:
    ends = [datetime(2030, 1, 1, tzinfo=UTC), datetime(2031, 1, 1, tzinfo=UTC)]
    path = tmp_path / "chain.pem"
    path.write_text("".join(f"a line\n{ssl.DER_cert_to_PEM_cert(der_of(end))}" for end in ends))
    assert expiries(str(path)) == ends


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "no certificate in it"),
        ("-----BEGIN CERTIFICATE-----\nAAAA", "a certificate without its end"),
        ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "no X.509 certificate"),
    ],
)
def test_what_is_no_certificate_is_told(tmp_path: Path, text: str, problem: str) -> None:
    path = tmp_path / "x.pem"
    path.write_text(text)
    with pytest.raises(ValueError, match=problem):
        expiries(str(path))


def test_a_certificate_that_was_cut_anywhere_is_none() -> None:
    whole = der_of(datetime(2030, 1, 1, tzinfo=UTC))
    for length in range(len(whole)):
        with pytest.raises(ValueError, match=r"no X.509 certificate"):
            not_after(whole[:length])
