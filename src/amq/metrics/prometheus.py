"""Figures over HTTP for Prometheus to fetch: an ASGI application of its own, on its own port (15692).

/metrics                    one series for all objects of a kind
/metrics/per-object         series of their own for each queue, exchange, channel and connection
/metrics/detailed           the groups that are asked for: ?family=queue_metrics&family=...&vhost=...
/metrics/memory-breakdown   what the memory is used for
"""

import time
import zlib
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any, Final
from urllib.parse import parse_qs

import attrs
import trio
from prometheus_client import generate_latest
from prometheus_client.core import Metric, SummaryMetricFamily

from amq.metrics import exposition
from amq.metrics.exposition import Gathered, Parts
from amq.metrics.objects import Source

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
# Whether a request with these headers from that address may see the figures.
Admit = Callable[[Mapping[str, str], str], Awaitable[bool]]

# Answers that are put together at once; more of them wait.
MOST_AT_ONCE: Final = 2
# Parameters of a query that are looked at.
MOST_PARAMETERS: Final = 1000
# Shorter answers are not worth compressing, in octets.
WORTH_COMPRESSING: Final = 1400
CHALLENGE: Final = (b"www-authenticate", b'Basic realm="RabbitMQ Prometheus"')
TEXT: Final = (b"content-type", b"text/plain; charset=utf-8")
FORMAT: Final = (b"content-type", b"text/plain; version=0.0.4; charset=utf-8")
GZIP: Final = 31


@attrs.define
class Scrapes:
    """What answers of one kind have cost: how many, the seconds they took, and the octets they had.

    `encoded` are how many there were and what they had when they were sent, by the encoding.
    """

    count: int = 0
    seconds: float = 0.0
    octets: int = 0
    encoded: dict[str, tuple[int, int]] = attrs.field(factory=dict)

    def sent(self, encoding: str, octets: int) -> None:
        """An answer goes out."""
        count, total = self.encoded.get(encoding, (0, 0))
        self.encoded[encoding] = count + 1, total + octets


@attrs.define(eq=False)
class Exposition:
    """The application. `path` is where it begins, and `per_object` what /metrics shows.

    With `admit`, who asks must be let in.
    """

    source: Source
    path: str = "/metrics"
    per_object: bool = False
    admit: Admit | None = None
    _scrapes: dict[str, Scrapes] = attrs.field(factory=dict, init=False)
    _turns: trio.CapacityLimiter = attrs.field(factory=lambda: trio.CapacityLimiter(MOST_AT_ONCE), init=False)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        method, path = scope["method"], scope["path"].rstrip("/")
        if method not in ("GET", "HEAD"):
            await answer(send, 405, [TEXT, (b"allow", b"GET, HEAD")], b"")
        elif path in ("", "/") and self.path:
            await answer(send, 302, [TEXT, (b"location", self.path.encode())], b"")
        elif not (path == self.path or path.startswith(self.path + "/")):
            await answer(send, 404, [TEXT], b"Not Found")
        elif self.admit is not None and not await self.admit(headers, (scope.get("client") or ("",))[0]):
            await answer(send, 401, [TEXT, CHALLENGE], b"")
        else:
            registry = path.removeprefix(self.path).removeprefix("/")
            try:
                parts = self._parts(registry, scope["query_string"])
            except ValueError:
                await answer(send, 400, [TEXT], b"over %d parameters" % MOST_PARAMETERS)
                return
            if parts is None:
                await answer(send, 404, [TEXT], b"Unknown Registry")
            else:
                async with self._turns:
                    await self._answer(
                        send, registry, parts, method == "HEAD", "gzip" in headers.get("accept-encoding", "")
                    )

    def _parts(self, registry: str, query: bytes) -> Parts | None:
        if registry == "":
            return exposition.per_object(self.source) if self.per_object else exposition.aggregated(self.source)
        if registry == "per-object":
            return exposition.per_object(self.source)
        if registry == "memory-breakdown":
            return exposition.memory_breakdown(self.source)
        if registry != "detailed":
            return None
        asked = parse_qs(query.decode("latin-1"), errors="replace", max_num_fields=MOST_PARAMETERS)
        vhosts = frozenset(asked["vhost"]) if "vhost" in asked else None
        return exposition.detailed(self.source, asked.get("family", []), vhosts)

    async def _answer(self, send: Send, registry: str, parts: Parts, head: bool, compress: bool) -> None:
        """Put an answer together and send it. It is small when compressed, and whole before its first octet goes out:
        a figure that cannot be read must not look like one that is not there.
        """
        began = time.perf_counter()
        body: list[bytes] = []
        async for part in parts:
            body.append(part)
            await trio.lowlevel.checkpoint()
        octets = sum(map(len, body))
        scrapes = self._scrapes.setdefault(registry or "default", Scrapes())
        scrapes.count += 1
        scrapes.seconds += time.perf_counter() - began
        scrapes.octets += octets
        body.append(generate_latest(Gathered(self._own_figures())))
        headers = [FORMAT]
        if compress and octets > WORTH_COMPRESSING:
            headers.append((b"content-encoding", b"gzip"))
            body = [await trio.to_thread.run_sync(gzipped, body)]
        scrapes.sent("gzip" if len(headers) > 1 else "identity", sum(map(len, body)))
        await answer(send, 200, headers, *([] if head else body))

    def _own_figures(self) -> list[Metric]:
        labels = ("registry", "content_type")
        name = "telemetry_scrape"
        seconds = SummaryMetricFamily(f"{name}_duration_seconds", "Scrape duration", labels=labels)
        octets = SummaryMetricFamily(f"{name}_size_bytes", "Scrape size, not encoded", labels=labels)
        sent = SummaryMetricFamily(f"{name}_encoded_size_bytes", "Scrape size, encoded", labels=(*labels, "encoding"))
        for registry, scrapes in self._scrapes.items():
            known = registry, FORMAT[1].decode()
            seconds.add_metric(known, scrapes.count, scrapes.seconds)
            octets.add_metric(known, scrapes.count, scrapes.octets)
            for encoding, (count, total) in scrapes.encoded.items():
                sent.add_metric((*known, encoding), count, total)
        return [seconds, octets, sent]


def gzipped(parts: list[bytes]) -> bytes:
    """All parts, compressed; the interpreter is free for others meanwhile."""
    compressor = zlib.compressobj(6, zlib.DEFLATED, GZIP)
    return b"".join([*map(compressor.compress, parts), compressor.flush()])


async def answer(send: Send, status: int, headers: list[tuple[bytes, bytes]], *parts: bytes) -> None:
    """Send a whole answer."""
    await send({"type": "http.response.start", "status": status, "headers": headers})
    for part in parts:
        await send({"type": "http.response.body", "body": part, "more_body": True})
    await send({"type": "http.response.body", "body": b""})
