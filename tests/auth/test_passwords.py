"""Password hashes in RabbitMQ's form."""

import pytest

from amq.auth import argon2id
from amq.auth.passwords import ALGORITHMS, algorithm_for, algorithm_of, check_hash, hash_password, verify_password
from amq.config.settings import Settings


def test_the_example_of_rabbitmqs_documentation() -> None:
    # rabbitmq.com/docs/passwords: salt 908D C60A, password test12.
    stored = hash_password(b"test12", salt=bytes.fromhex("908DC60A"))
    assert stored == "kI3GCqW5JLMJa4iX1lo7X4D6XbYqlLgxIs30+P6tENUV2POR"
    assert verify_password(b"test12", stored)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_password_fits_its_own_hash_only(algorithm: str) -> None:
    stored = hash_password("pä ss".encode(), algorithm)
    check_hash(stored, algorithm)
    assert verify_password("pä ss".encode(), stored, algorithm)
    assert not verify_password(b"pass", stored, algorithm)
    assert not verify_password(b"", stored, algorithm)


def test_two_hashes_of_a_password_have_different_salts() -> None:
    assert hash_password(b"guest") != hash_password(b"guest")


def test_a_hash_belongs_to_its_algorithm() -> None:
    stored = hash_password(b"guest", "rabbit_password_hashing_md5")
    assert not verify_password(b"guest", stored, "rabbit_password_hashing_sha256")


def test_nothing_fits_the_empty_hash() -> None:
    assert not verify_password(b"", "")
    assert not verify_password(b"guest", "")
    check_hash("", "rabbit_password_hashing_sha512")


@pytest.mark.parametrize(
    ("stored", "algorithm", "message"),
    [
        ("AAAA", "crypt", "unknown hashing algorithm 'crypt'"),
        ("not base64!", "rabbit_password_hashing_sha256", "not base64"),
        ("AAAAAAAA", "rabbit_password_hashing_sha256", "has 6 octets, rabbit_password_hashing_sha256 has 36"),
    ],
)
def test_what_can_be_no_hash_is_refused(stored: str, algorithm: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        check_hash(stored, algorithm)


def test_passwords_are_hashed_by_argon2id_where_definitions_are_kept_and_it_is_installed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert algorithm_for(Settings(), keeps=True) == "argon2id"
    assert algorithm_for(Settings(), keeps=False) == "rabbit_password_hashing_sha256"
    monkeypatch.setattr(argon2id, "available", lambda: False)
    assert algorithm_for(Settings(), keeps=True) == "rabbit_password_hashing_sha256"
    sha512 = "rabbit_password_hashing_sha512"
    assert algorithm_for(Settings(password_hashing_module=sha512), keeps=True) == sha512


@pytest.mark.parametrize("algorithm", ["rabbit_password_hashing_sha256", "argon2id"])
def test_a_hash_without_the_name_of_its_algorithm_is_known_by_its_form(algorithm: str) -> None:
    assert algorithm_of(hash_password(b"x", algorithm)) == algorithm
