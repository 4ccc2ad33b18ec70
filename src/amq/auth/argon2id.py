"""Password hashes by argon2id, in the form that the reference implementation and every library of it write.

    $argon2id$v=19$m=19456,t=2,p=1$ salt (base64 without padding) $ hash (the same)

The work is done by argon2-cffi, an optional package, imported at the first use. One hash costs about 17 ms and 19 MiB,
so it is computed in a thread (`amq.auth.proving`), never on the event loop.
"""

import binascii
import importlib
import importlib.util
import re
import secrets
from base64 import b64decode
from typing import Any, Final

NAME: Final = "argon2id"
PREFIX: Final = "$argon2id$"
# What OWASP recommends ("Password Storage Cheat Sheet"): memory in KiB, passes over it, lanes.
MEMORY: Final = 19_456
PASSES: Final = 2
LANES: Final = 1
SALT_OCTETS: Final = 16
HASH_OCTETS: Final = 32
# Of hashes that were made elsewhere: whoever sets one may not keep the broker busy for long with it.
MOST_WORK: Final = 4 * MEMORY * PASSES
MOST_LANES: Final = 4
MISSING: Final = "argon2id needs the package argon2-cffi, which is not installed (it comes with amq[management])"
# Nobody's: it costs an unknown user the time that a known one takes.
DECOY: Final = f"$argon2id$v=19$m={MEMORY},t={PASSES},p={LANES}${'A' * 22}${'A' * 43}"
_FORM: Final = re.compile(
    r"\$argon2id\$v=19\$m=([1-9][0-9]{0,9}),t=([1-9][0-9]{0,9}),p=([1-9][0-9]{0,9})"
    r"\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)",
    re.ASCII,
)


def available() -> bool:
    """Whether argon2-cffi is installed."""
    return importlib.util.find_spec("argon2") is not None


def hash_password(password: bytes) -> str:
    """The hash of a password, with a random salt; takes about 17 ms. Raises ValueError without argon2-cffi."""
    library = _import("low_level")
    salt = secrets.token_bytes(SALT_OCTETS)
    hashed: bytes = library.hash_secret(password, salt, PASSES, MEMORY, LANES, HASH_OCTETS, library.Type.ID)
    return hashed.decode("ascii")


def verify(password: bytes, password_hash: str) -> bool:
    """Whether the password has this hash; takes as long as that says. Raises ValueError without argon2-cffi."""
    library, errors = _import("low_level"), _import("exceptions")
    try:
        return bool(library.verify_secret(password_hash.encode("ascii"), password, library.Type.ID))
    except (errors.VerificationError, errors.InvalidHashError):
        # Of two kinds: it is another password, or the hash itself is of no use.
        return False


def check(password_hash: str) -> None:
    """Raise ValueError, which says why, for what is no argon2id hash or one that takes too much work."""
    found = _FORM.fullmatch(password_hash)
    if found is None:
        raise ValueError("the password hash is not of the form $argon2id$v=19$m=...,t=...,p=...$salt$hash")
    memory, passes, lanes = (int(part) for part in found.group(1, 2, 3))
    if memory * passes > MOST_WORK or lanes > MOST_LANES or memory < 8 * lanes:
        raise ValueError(
            f"the password hash asks for m={memory} KiB, t={passes}, p={lanes}; "
            f"m * t is at most {MOST_WORK}, p at most {MOST_LANES}, m at least 8 * p"
        )
    for part, least in ((found[4], 8), (found[5], 16)):
        if _octets(part) < least:
            raise ValueError("the salt of the password hash has at least 8 octets, the hash itself at least 16")


def _octets(unpadded: str) -> int:
    """How many octets base64 without padding stands for; 0 when it is none."""
    try:
        return len(b64decode(unpadded + "=" * (-len(unpadded) % 4), validate=True))
    except binascii.Error:
        return 0


def _import(module: str) -> Any:
    try:
        return importlib.import_module(f"argon2.{module}")
    except ImportError:
        raise ValueError(MISSING) from None
