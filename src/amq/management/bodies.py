"""The bodies of requests on their way in: how large each may be, and all of them together."""

from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Final

import trio
from starlette.requests import Request

from amq.management.errors import ApiError, BadRequest

# How long a request may take to arrive, in s.
ARRIVAL: Final = 60.0
# Octets that anybody may send who has not logged in, and that do not count towards MOST_TOGETHER.
SMALL: Final = 1 << 14
# Octets of what asks for something to be done. Only messages and documents of definitions are larger: decoding JSON
# takes 30 ms for each megabyte, in one go.
USUAL: Final = 1 << 18
# Octets of all larger bodies that are in memory at once.
MOST_TOGETHER: Final = 1 << 27


class Bodies:
    """Takes bodies, each of `most` octets at most. `together`: octets of the larger ones that are here now."""

    __slots__ = ("most", "together")

    def __init__(self, most: int) -> None:
        self.most = most
        self.together = 0

    @asynccontextmanager
    async def of(self, request: Request, most: int) -> AsyncIterator[bytes]:
        """The body of a request, of so many octets at most. It has its room until the context ends.

        Raises BadRequest for one that is too large, ApiError(408) for one that does not arrive, and ApiError(503) while
        others take up all the room there is.
        """
        body = _Body(self, min(self.most, most))
        try:
            await body.arrive(request)
            yield bytes(body.octets)
        finally:
            self.together -= body.counted


class _Body:
    """One of them; of its octets `counted` are counted towards MOST_TOGETHER."""

    __slots__ = ("octets", "counted", "_most", "_bodies")

    def __init__(self, bodies: Bodies, most: int) -> None:
        self.octets = bytearray()
        self.counted = 0
        self._most = most
        self._bodies = bodies

    async def arrive(self, request: Request) -> None:
        try:
            with trio.fail_after(ARRIVAL):
                async with aclosing(request.stream()) as chunks:
                    async for chunk in chunks:
                        self._take(chunk)
        except trio.TooSlowError:
            raise ApiError(408, "timeout", f"the request did not arrive in {ARRIVAL:.0f} s") from None

    def _take(self, chunk: bytes) -> None:
        self.octets += chunk
        if len(self.octets) > self._most:
            raise BadRequest(f"Exceeded HTTP request body size limit of {self._most} bytes")
        if len(self.octets) > SMALL:
            self._bodies.together += len(self.octets) - self.counted
            self.counted = len(self.octets)
            if self._bodies.together > MOST_TOGETHER:
                raise ApiError(503, "busy", "too many large requests arrive at once", {"retry-after": "10"})
