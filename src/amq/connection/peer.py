"""The other end of a connection, as the shell found it."""

from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any

import attrs

from amq.auth.credentials import LoginPeer


@attrs.frozen
class Peer:
    """Addresses of both ends; `certificate` as `ssl.SSLObject.getpeercert()` gave it for a verified client, or None."""

    host: str
    port: int
    server_host: str
    server_port: int
    tls: bool = False
    certificate: Mapping[str, Any] | None = None

    def __str__(self) -> str:
        return f"{self.host}:{self.port} -> {self.server_host}:{self.server_port}"

    def for_login(self) -> LoginPeer:
        """What a login needs to know."""
        try:
            address = ip_address(self.host.partition("%")[0])
        except ValueError:
            # No internet address: a socket of this machine.
            return LoginPeer(True, self.tls, self.certificate)
        mapped = getattr(address, "ipv4_mapped", None)
        return LoginPeer((mapped or address).is_loopback, self.tls, self.certificate)
