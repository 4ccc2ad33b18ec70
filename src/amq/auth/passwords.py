"""Password hashes: RabbitMQ's, as it stores and exports them, and argon2id's (`amq.auth.argon2id`).

    base64( salt (4 octets) | H( salt | password ) )      H: SHA-256, SHA-512 or MD5

An empty hash belongs to a user who cannot log in by password (but can by certificate).
Source of the format: rabbitmq.com/docs/passwords, "Computing the password hash".
"""

import base64
import binascii
import hashlib
import hmac
import secrets
from typing import Final

from amq.auth import argon2id
from amq.config.settings import AUTOMATIC, Settings

SALT_OCTETS: Final = 4
DEFAULT_ALGORITHM: Final = "rabbit_password_hashing_sha256"
# RabbitMQ's: name in definitions and in the configuration -> name of the digest.
DIGESTS: Final = {
    DEFAULT_ALGORITHM: "sha256",
    "rabbit_password_hashing_sha512": "sha512",
    "rabbit_password_hashing_md5": "md5",
}
ALGORITHMS: Final = (*DIGESTS, argon2id.NAME)
# Nobody's: it costs an unknown user the time that a known one takes.
_DECOY: Final = base64.b64encode(bytes(SALT_OCTETS + 32)).decode("ascii")


def hash_password(password: bytes, algorithm: str = DEFAULT_ALGORITHM, salt: bytes | None = None) -> str:
    """The hash of a password (UTF-8), with a random salt unless 4 octets are given (argon2id takes none).

    Raises KeyError for an unknown algorithm, ValueError for argon2id without argon2-cffi. argon2id takes about 17 ms.
    """
    if algorithm == argon2id.NAME:
        return argon2id.hash_password(password)
    salt = secrets.token_bytes(SALT_OCTETS) if salt is None else salt
    return base64.b64encode(salt + _digest(salt, password, algorithm)).decode("ascii")


def verify_password(password: bytes, password_hash: str, algorithm: str = DEFAULT_ALGORITHM) -> bool:
    """Whether the password has this hash. Takes as long for a wrong first octet as for a wrong last one.

    Raises ValueError for an argon2id hash without argon2-cffi.
    """
    if algorithm == argon2id.NAME:
        return bool(password_hash) and argon2id.verify(password, password_hash)
    stored = base64.b64decode(password_hash)
    if len(stored) <= SALT_OCTETS:
        return False
    salt = stored[:SALT_OCTETS]
    return hmac.compare_digest(stored[SALT_OCTETS:], _digest(salt, password, algorithm))


def pretend_to_verify(password: bytes) -> None:
    """Take the time that `verify_password` takes by default."""
    verify_password(password, _DECOY)


def is_slow(algorithm: str) -> bool:
    """Whether hashing by it takes so long that it has no place on the event loop."""
    return algorithm == argon2id.NAME


def algorithm_for(settings: Settings, keeps: bool) -> str:
    """How to hash passwords that are set at run time, in a broker that `keeps` definitions or one that does not."""
    if settings.password_hashing_module != AUTOMATIC:
        return settings.password_hashing_module
    return argon2id.NAME if keeps and argon2id.available() else DEFAULT_ALGORITHM


def algorithm_of(password_hash: str) -> str:
    """What made a hash that comes without the name of its algorithm: those of argon2id show it, RabbitMQ's do not."""
    return argon2id.NAME if password_hash.startswith(argon2id.PREFIX) else DEFAULT_ALGORITHM


def check_hash(password_hash: str, algorithm: str) -> None:
    """Refuse what cannot be a hash of this algorithm; the empty hash is fine.

    Raises ValueError that says what is wrong.
    """
    if algorithm not in ALGORITHMS:
        raise ValueError(f"unknown hashing algorithm {algorithm!r}; allowed: {', '.join(ALGORITHMS)}")
    if not password_hash:
        return
    if algorithm == argon2id.NAME:
        argon2id.check(password_hash)
        return
    try:
        stored = base64.b64decode(password_hash, validate=True)
    except binascii.Error:
        raise ValueError("the password hash is not base64") from None
    expected = SALT_OCTETS + hashlib.new(DIGESTS[algorithm], usedforsecurity=False).digest_size
    if len(stored) != expected:
        raise ValueError(f"the password hash has {len(stored)} octets, {algorithm} has {expected}")


def _digest(salt: bytes, password: bytes, algorithm: str) -> bytes:
    # MD5 is here for hashes that were exported by brokers older than 3.6; it is nobody's default.
    return hashlib.new(DIGESTS[algorithm], salt + password, usedforsecurity=False).digest()
