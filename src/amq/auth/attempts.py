"""How often logins were tried and failed, by protocol and by source, and who has failed too often to be listened to.

Every source (an IPv4 address, or the /64 of an IPv6 one) has a bucket of tokens. A login takes one and gets it back
when it succeeds; a source without tokens is refused without a look at its credentials. Counts are plain ints.
"""

from ipaddress import IPv6Address, ip_address
from typing import Final

from amq.clock import Clock

# Sources with less than a full bucket, and sources whose attempts are counted one by one: of more the oldest go.
MOST_BUCKETS: Final = 10_000
MOST_SOURCES: Final = 1000
# Octets of IPv6 addresses that one customer of a provider has at his disposal.
NETWORK: Final = 8


class Tally:
    """Logins: those that succeeded and those that failed; of the latter `throttled` were not looked at."""

    __slots__ = ("succeeded", "failed", "throttled")

    def __init__(self) -> None:
        self.succeeded: int = 0
        self.failed: int = 0
        self.throttled: int = 0

    @property
    def attempts(self) -> int:
        """All of them."""
        return self.succeeded + self.failed


class Bucket:
    """Tokens at a moment; `told` once the log has a line about its being empty."""

    __slots__ = ("tokens", "at", "told")

    def __init__(self, tokens: float, at: float) -> None:
        self.tokens = tokens
        self.at = at
        self.told: bool = False


class Attempts:
    """`burst`: how many logins of a source may fail at once, 0 for no limit; `refill`: how many more in every s.

    `by_protocol` counts by protocol (amqp091, http); `by_source` by remote address, user name and protocol.
    """

    __slots__ = ("burst", "refill", "by_protocol", "by_source", "_clock", "_buckets")

    def __init__(self, clock: Clock, burst: int, refill: float) -> None:
        self.burst = burst
        self.refill = refill
        self.by_protocol: dict[str, Tally] = {}
        self.by_source: dict[tuple[str, str, str], Tally] = {}
        self._clock = clock
        # Those that are not full, the least recently used first.
        self._buckets: dict[str, Bucket] = {}

    def admit(self, address: str) -> float:
        """Take a token; returns 0.0, or in how many s there will be one."""
        if not self.burst:
            return 0.0
        source = source_of(address)
        bucket = self._bucket(source)
        if bucket.tokens < 1:
            return (1 - bucket.tokens) / self.refill
        bucket.tokens -= 1
        return 0.0

    def first_refusal(self, address: str) -> bool:
        """Whether no attempt of that source was refused since its bucket last held a token: once it is worth a line."""
        bucket = self._buckets.get(source_of(address))
        if bucket is None or bucket.told:
            return False
        bucket.told = True
        return True

    def succeeded(self, address: str, name: str, protocol: str) -> None:
        """A login that was admitted has succeeded: it gives its token back."""
        for tally in self._tallies(address, name, protocol):
            tally.succeeded += 1
        source = source_of(address)
        bucket = self._buckets.get(source)
        if bucket is None:
            return
        bucket.tokens += 1
        if bucket.tokens >= self.burst:
            del self._buckets[source]

    def failed(self, address: str, name: str, protocol: str, looked_at: bool) -> None:
        """A login has failed, or was not `looked_at` for want of a token."""
        for tally in self._tallies(address, name, protocol):
            tally.failed += 1
            tally.throttled += not looked_at

    def clear(self) -> None:
        """Count from 0 again (`DELETE /api/auth/attempts/...`); the buckets stay as they are."""
        self.by_protocol.clear()
        self.by_source.clear()

    def _bucket(self, source: str) -> Bucket:
        """A source's bucket as it is now, as the most recently used one."""
        now = self._clock.now
        bucket = self._buckets.pop(source, None)
        if bucket is None:
            bucket = Bucket(float(self.burst), now)
            if len(self._buckets) >= MOST_BUCKETS:
                del self._buckets[next(iter(self._buckets))]
        else:
            bucket.tokens = min(bucket.tokens + (now - bucket.at) * self.refill, float(self.burst))
            bucket.at = now
            if bucket.tokens >= 1:
                bucket.told = False
        self._buckets[source] = bucket
        return bucket

    def _tallies(self, address: str, name: str, protocol: str) -> tuple[Tally, Tally]:
        by_protocol = self.by_protocol.get(protocol)
        if by_protocol is None:
            by_protocol = self.by_protocol[protocol] = Tally()
        key = (address, name, protocol)
        by_source = self.by_source.get(key)
        if by_source is None:
            if len(self.by_source) >= MOST_SOURCES:
                del self.by_source[next(iter(self.by_source))]
            by_source = self.by_source[key] = Tally()
        return by_protocol, by_source


def source_of(address: str) -> str:
    """Whom to hold to account for an address: itself, or of IPv6 the network that it is in."""
    if ":" not in address:
        return address
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if not isinstance(found, IPv6Address) or found.is_loopback:
        return address
    return f"{IPv6Address(found.packed[:NETWORK] + bytes(16 - NETWORK))}/{NETWORK * 8}"
