"""Answers and errors as what Starlette sends: JSON, a body in parts, server-sent events."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any, Final

import trio
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from amq.management.answers import EVENT_STREAM, JSON, NOTHING, Answer, encode
from amq.management.columns import Columns
from amq.management.errors import ApiError

NO_CACHE: Final = {"cache-control": "no-cache"}
# How often a stream without events says that it is there, in s: proxies close what is silent.
PULSE: Final = 15.0
# Slowest that a large body may be taken at, in octets per s, once the first PATIENCE s are over.
LEAST_RATE: Final = 20_000
PATIENCE: Final = 60.0


def response(answer: Answer, columns: Columns, stopping: trio.Event) -> Response:
    """An answer. Streams end when `stopping` is set."""
    headers = dict(answer.headers)
    if answer.events is not None:
        return Events(answer.events, stopping, {**NO_CACHE, **headers})
    if answer.parts is not None:
        return Parts(answer, {**NO_CACHE, **headers})
    if answer.value is NOTHING:
        return Response(status_code=answer.status, headers=headers)
    value = columns.pick_any(answer.value) if answer.status == 200 else answer.value
    return Response(encode(value), answer.status, {**NO_CACHE, **headers}, JSON)


def refusal(error: ApiError) -> Response:
    """An error: its body, if it has one, is JSON."""
    body = error.body()
    headers = dict(error.headers)
    return Response(b"" if body is None else encode(body), error.status, headers, None if body is None else JSON)


def message(kind: str, **fields: Any) -> dict[str, Any]:
    """A message of ASGI about a response."""
    return {"type": f"http.response.{kind}", **fields}


class Parts(Response):
    """A body in several parts, which nobody joins. Whoever takes them too slowly is cut off."""

    def __init__(self, answer: Answer, headers: Mapping[str, str]) -> None:
        assert answer.parts is not None, "it is for an answer that has some"
        super().__init__(None, answer.status, headers, answer.media_type)
        self._parts = answer.parts
        self.size = sum(len(part) for part in answer.parts)
        self.headers["content-length"] = str(self.size)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        with trio.move_on_after(PATIENCE + self.size / LEAST_RATE):
            await send(message("start", status=self.status_code, headers=self.raw_headers))
            for part in self._parts:
                await send(message("body", body=part, more_body=True))
            await send(message("body", body=b""))


class Events(Response):
    """Server-sent events, until there are none, the client goes, or the broker stops."""

    def __init__(self, events: AsyncGenerator[bytes, None], stopping: trio.Event, headers: Mapping[str, str]) -> None:
        super().__init__(None, 200, headers, EVENT_STREAM)
        del self.headers["content-length"]
        self._events = events
        self._stopping = stopping
        self._sending = trio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        await send(message("start", status=self.status_code, headers=self.raw_headers))
        if scope["method"] != "HEAD":
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._until_gone, receive, nursery.cancel_scope)
                nursery.start_soon(self._until_stopping, nursery.cancel_scope)
                nursery.start_soon(self._pulse, send)
                await self._send_all(send)
                nursery.cancel_scope.cancel()
        await send(message("body", body=b""))

    async def _send_all(self, send: Send) -> None:
        async with aclosing(self._events) as events:
            async for event in events:
                await self._send(send, event)

    async def _send(self, send: Send, octets: bytes) -> None:
        async with self._sending:
            await send(message("body", body=octets, more_body=True))

    async def _pulse(self, send: Send) -> None:
        while True:
            await self._send(send, b":\n\n")
            await trio.sleep(PULSE)

    async def _until_gone(self, receive: Receive, scope: trio.CancelScope) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        scope.cancel()

    async def _until_stopping(self, scope: trio.CancelScope) -> None:
        await self._stopping.wait()
        scope.cancel()
