"""The other end of a connection, as the shell found it."""

from collections.abc import Mapping
from typing import Any

import attrs

from amq.auth.credentials import LoginPeer, peer_at


@attrs.frozen
class Peer:
    """Addresses of both ends; `certificate` as `ssl.SSLObject.getpeercert()` gave it for a verified client, or None.

    `tls_version` ("TLSv1.3") and `cipher` are OpenSSL's names; empty without TLS.
    """

    host: str
    port: int
    server_host: str
    server_port: int
    tls: bool = False
    certificate: Mapping[str, Any] | None = None
    tls_version: str = ""
    cipher: str = ""

    def __str__(self) -> str:
        return f"{self.host}:{self.port} -> {self.server_host}:{self.server_port}"

    def for_login(self) -> LoginPeer:
        """What a login needs to know."""
        return peer_at(self.host, "amqp091", self.tls, self.certificate)
