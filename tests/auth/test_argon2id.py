"""Argon2id hashes, as any library of it writes them."""

import importlib
from typing import Any

import pytest

from amq.auth import argon2id
from amq.auth.passwords import check_hash, hash_password, verify_password

# Of the password "password", written by the argon2 command line tool: argon2 somesalt -id -t 2 -k 65536 -p 1 -l 24 ...
FOREIGN = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"


def test_a_password_fits_its_own_hash_only() -> None:
    stored = hash_password("pä ss".encode(), "argon2id")
    check_hash(stored, "argon2id")
    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert verify_password("pä ss".encode(), stored, "argon2id")
    assert not verify_password(b"pass", stored, "argon2id")
    assert not verify_password(b"", stored, "argon2id")


def test_two_hashes_of_a_password_have_different_salts() -> None:
    assert argon2id.hash_password(b"guest") != argon2id.hash_password(b"guest")


def test_a_hash_that_another_library_wrote_is_understood() -> None:
    check_hash(FOREIGN, "argon2id")
    assert verify_password(b"password", FOREIGN, "argon2id")


def test_nothing_fits_the_empty_hash_or_the_decoy() -> None:
    check_hash("", "argon2id")
    assert not verify_password(b"", "", "argon2id")
    check_hash(argon2id.DECOY, "argon2id")
    assert not verify_password(b"x", argon2id.DECOY, "argon2id")


SALT = "A" * 22
HASH = "A" * 43


@pytest.mark.parametrize(
    ("stored", "message"),
    [
        ("AAAA", "not of the form"),
        (f"$argon2i$v=19$m=19456,t=2,p=1${SALT}${HASH}", "not of the form"),
        (f"$argon2id$v=16$m=19456,t=2,p=1${SALT}${HASH}", "not of the form"),
        (f"$argon2id$v=19$m=19456,t=2,p=1${SALT}${HASH}\n", "not of the form"),
        (f"$argon2id$v=19$m=4194304,t=2,p=1${SALT}${HASH}", "asks for m=4194304 KiB, t=2, p=1; m [*] t is at most"),
        (f"$argon2id$v=19$m=19456,t=4294967295,p=1${SALT}${HASH}", "asks for"),
        (f"$argon2id$v=19$m=19456,t=2,p=64${SALT}${HASH}", "p at most 4"),
        (f"$argon2id$v=19$m=19456,t=2,p=1$AAAA${HASH}", "at least 8 octets"),
        (f"$argon2id$v=19$m=19456,t=2,p=1${SALT}$AAAA", "at least 16"),
        (f"$argon2id$v=19$m=19456,t=2,p=1${'A' * 21}${HASH}", "at least 8 octets"),
    ],
)
def test_what_is_no_hash_or_would_keep_the_broker_busy_is_refused(stored: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        check_hash(stored, "argon2id")


def test_without_the_package_it_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> Any:
        raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.raises(ValueError, match="argon2-cffi, which is not installed"):
        hash_password(b"x", "argon2id")
    with pytest.raises(ValueError, match="argon2-cffi, which is not installed"):
        verify_password(b"x", FOREIGN, "argon2id")
