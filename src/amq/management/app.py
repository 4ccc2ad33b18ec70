"""All that is served on the management port: the API below /api, and the console."""

from typing import Final

import trio
from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from amq.management import headers
from amq.management.api import Api
from amq.management.errors import NotFound
from amq.management.node import Node
from amq.management.responses import refusal
from amq.management.static import Console

API: Final = "/api"
DOCUMENT: Final = f"{API}/openapi.json"
# Of the body of a request that is refused, so many octets are waited for, so many seconds.
SKIPPED: Final = 1 << 20
SKIPPING: Final = 5.0


class Application:
    """An ASGI application. Paths are taken as they were sent, so that `%2F` does not divide them."""

    def __init__(self, node: Node, owner: str = "owner") -> None:
        self._settings = node.broker.settings.management
        self._api = Api(node, owner)
        self._console = Console()
        self._headers = headers.for_every_answer(self._settings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close"})
            return
        arrival = Arrival(receive)
        request = Request(scope, arrival)
        try:
            response = await self._respond(request)
        except ClientDisconnect:
            return
        await arrival.skip()
        await response(scope, arrival, self._with_headers(request, send))
        await arrival.drain()

    async def _respond(self, request: Request) -> ASGIApp:
        prefix = self._settings.path_prefix
        raw: bytes = request.scope.get("raw_path") or request.scope["path"].encode()
        path = raw.decode("ascii", "replace").partition("?")[0]
        if prefix and not path.startswith(f"{prefix}/"):
            # Of the prefix itself the console's page is meant, whose addresses are relative to it.
            return RedirectResponse(f"{prefix}/") if path == prefix else refusal(NotFound())
        path = path.removeprefix(prefix)
        if path in (API, f"{API}/"):
            return RedirectResponse(prefix + DOCUMENT, 301)
        if path.startswith(f"{API}/"):
            return await self._api.respond(request, path.removeprefix(API))
        request.scope["root_path"] = prefix
        return self._console.respond(request)

    def _with_headers(self, request: Request, send: Send) -> Send:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = MutableHeaders(raw=message["headers"])
                if self._settings.csp_policy is not None:
                    given["content-security-policy"] = self._settings.csp_policy
                allow = given.get("allow") if request.method == "OPTIONS" else None
                added = headers.for_origin(self._settings, request.headers, allow)
                for name, value in {**self._headers, **added}.items():
                    if name == "vary" and name in given:
                        given[name] = f"{given[name]}, {value}"
                    else:
                        given.setdefault(name, value)
            await send(message)

        return send_with_headers


class Arrival:
    """What the server receives of a request, and whether all of it was looked at."""

    __slots__ = ("_receive", "_complete")

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._complete = False

    async def __call__(self) -> Message:
        """ASGI's `receive`."""
        message = await self._receive()
        if message["type"] == "http.disconnect" or not message.get("more_body", False):
            self._complete = True
        return message

    async def skip(self) -> None:
        """Before a refusal: take the rest of a short body, so that the client does not find its connection broken
        while it sends, and reads the answer.
        """
        left = SKIPPED
        with trio.move_on_after(SKIPPING):
            while not self._complete and left > 0:
                left -= len((await self()).get("body", b""))

    async def drain(self) -> None:
        """Take what of the request nobody looked at, so that the server does not wait for room for it.

        Once the response is complete, the server closes a connection on which more of the request is to come.
        """
        while not self._complete:
            await self()


def application(node: Node, owner: str = "owner") -> ASGIApp:
    """All that is served on the management port. `owner` is the name of who owns the broker's process."""
    return Application(node, owner)
