"""What a client has shown of itself, and the three answers to it."""

from collections.abc import Mapping
from typing import Any

import attrs


@attrs.frozen
class LoginPeer:
    """The other end of a connection, as far as a login needs to know it.

    `certificate` is what `ssl.SSLObject.getpeercert()` returned for a verified client certificate, else None.
    """

    loopback: bool
    tls: bool = False
    certificate: Mapping[str, Any] | None = None


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
class Refusal:
    """A login refused. `reason` is for the log; the client learns only that it was refused."""

    reason: str
