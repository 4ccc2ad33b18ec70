"""A TLS connection's cipher suite, taken apart as RabbitMQ shows it: OpenSSL's names in, Erlang's out.

ECDHE-RSA-AES256-GCM-SHA384    ecdhe_rsa, aes_256_gcm, aead
ECDHE-RSA-AES128-SHA256        ecdhe_rsa, aes_128_cbc, sha256
TLS_AES_256_GCM_SHA384         any, aes_256_gcm, aead        (TLS 1.3: the key exchange is no part of it)
"""

import re
from typing import Final

import attrs

_KEY_EXCHANGES: Final = re.compile(
    r"(ECDHE-ECDSA|ECDHE-RSA|ECDHE-PSK|DHE-RSA|DHE-DSS|DHE-PSK|RSA-PSK|PSK|SRP(?:-RSA)?)-"
)
_AES: Final = re.compile(r"AES_?(\d+)[-_](GCM|CCM8|CCM)|AES_?(\d+)")


@attrs.frozen
class CipherNames:
    """What RabbitMQ calls `ssl_key_exchange`, `ssl_cipher` and `ssl_hash`."""

    key_exchange: str
    cipher: str
    hash: str


def cipher_names(suite: str) -> CipherNames:
    """The parts of a suite, by the name that OpenSSL has for it."""
    if suite.startswith("TLS_"):
        return CipherNames("any", _cipher(suite.removeprefix("TLS_")), "aead")
    found = _KEY_EXCHANGES.match(suite)
    key_exchange = "rsa" if found is None else found[1].lower().replace("-", "_")
    rest = suite if found is None else suite[found.end() :]
    authenticated = any(word in rest for word in ("GCM", "CCM", "POLY1305"))
    return CipherNames(key_exchange, _cipher(rest), "aead" if authenticated else rest.rpartition("-")[2].lower())


def _cipher(rest: str) -> str:
    if "CHACHA20" in rest:
        return "chacha20_poly1305"
    found = _AES.match(rest)
    if found is None:
        return rest.lower().replace("-", "_")
    return f"aes_{found[1]}_{found[2].lower()}" if found[1] else f"aes_{found[3]}_cbc"
