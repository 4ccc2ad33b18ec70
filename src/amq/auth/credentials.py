"""What a client has shown of itself, and the answers to it."""

from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any

import attrs

from amq.auth.passwords import verify_password


@attrs.frozen
class LoginPeer:
    """The other end of a connection, as far as a login needs to know it; `peer_at` makes one of an address.

    `certificate` is what `ssl.SSLObject.getpeercert()` returned for a verified client certificate, else None.
    `address` is the one that is held to account for logins that fail; `protocol` is amqp091 or http.
    """

    loopback: bool
    tls: bool = False
    certificate: Mapping[str, Any] | None = None
    address: str = ""
    protocol: str = "amqp091"


def peer_at(
    host: str, protocol: str = "amqp091", tls: bool = False, certificate: Mapping[str, Any] | None = None
) -> LoginPeer:
    """The other end at that address; what is no internet address is a socket of this machine."""
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return LoginPeer(True, tls, certificate, host, protocol)
    address = getattr(address, "ipv4_mapped", None) or address
    return LoginPeer(address.is_loopback, tls, certificate, str(address), protocol)


@attrs.frozen
class Credentials:
    """A name and what proves it: `password` is None when TLS has proven it already."""

    name: str
    password: bytes | None = attrs.field(repr=False)

    @property
    def shown_name(self) -> str:
        """The name for the log: whatever a client sent, it stays within its line."""
        return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in self.name)


@attrs.frozen
class Challenge:
    """What the client must answer next (`connection.secure`)."""

    data: bytes


@attrs.frozen
class Question:
    """Whether a password has a hash: asked where the answer takes too long for the event loop (about 17 ms)."""

    password: bytes = attrs.field(repr=False)
    password_hash: str = attrs.field(repr=False)
    algorithm: str

    def answer(self) -> bool:
        """Find it out. Raises ValueError when the package for it is missing."""
        return verify_password(self.password, self.password_hash, self.algorithm)


@attrs.frozen
class Refusal:
    """A login refused. `reason` is for the log; the client learns only that it was refused.

    `retry_after`: in so many s another try will be looked at; 0 where this one was.
    """

    reason: str
    retry_after: float = 0.0
