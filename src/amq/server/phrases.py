"""Status lines with the reason that belongs to the code: `HTTP/1.1 404 Not Found`.

Hypercorn leaves the reason out, as HTTP/1.1 permits. Clients of RabbitMQ show it to people and compare it: what Cowboy
says there is part of what they know.
"""

from http import HTTPStatus
from typing import Final

import h11
from hypercorn.protocol.h11 import H11Protocol
from hypercorn.trio.tcp_server import TCPServer

PHRASES: Final = {status.value: status.phrase.encode("ascii") for status in HTTPStatus}


class Phrasing(h11.Connection):
    """The server's side of HTTP/1.1, which gives each answer its reason."""

    def send_with_data_passthrough(self, event: h11.Event) -> list[bytes] | None:
        """The octets of one event; `send` joins them."""
        if isinstance(event, h11.Response) and not event.reason:
            event = h11.Response(
                headers=event.headers,
                status_code=event.status_code,
                reason=PHRASES.get(event.status_code, b""),
            )
        return super().send_with_data_passthrough(event)


class PhrasingServer(TCPServer):
    """Hypercorn's conversation with one client, with reasons."""

    async def _read_data(self) -> None:
        # The first moment at which Hypercorn has chosen a protocol; nothing was said in it yet.
        protocol = self.protocol.protocol
        if isinstance(protocol, H11Protocol):
            protocol.connection = Phrasing(h11.SERVER, max_incomplete_event_size=self.config.h11_max_incomplete_size)
        await super()._read_data()
