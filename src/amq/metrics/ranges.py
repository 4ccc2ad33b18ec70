"""The sample windows that a request may ask for: `msg_rates_age=60&msg_rates_incr=5` is the last minute, every 5 s."""

from collections.abc import Mapping
from typing import Final

import attrs

# Samples that one window may have; RabbitMQ's own pages ask for at most 121.
MOST_SAMPLES: Final = 1000


@attrs.frozen
class Range:
    """A window of `age` s with a sample every `incr` s, both 1 or more."""

    age: int
    incr: int

    def moments(self, now: int) -> list[int]:
        """The moments of its samples in ms since 1970, the latest first, when it is `now`; multiples of `incr`."""
        step = self.incr * 1000
        last = now // step * step
        return list(range(last, last - self.age * 1000 - 1, -step))


@attrs.frozen
class Ranges:
    """The windows for lengths of queues, rates of messages and of octets, and the node's figures; None: no samples."""

    lengths: Range | None = None
    msg_rates: Range | None = None
    data_rates: Range | None = None
    node_stats: Range | None = None


NO_RANGES: Final = Ranges()


def ranges_of(query: Mapping[str, str]) -> Ranges:
    """The windows that a query string asks for; one is given only by its age and its increment together.

    Raises ValueError for what is no whole number of seconds, or too many samples.
    """
    return Ranges(
        _range(query, "lengths"), _range(query, "msg_rates"), _range(query, "data_rates"), _range(query, "node_stats")
    )


def _range(query: Mapping[str, str], name: str) -> Range | None:
    age = _seconds(query, f"{name}_age")
    incr = _seconds(query, f"{name}_incr")
    if age is None or incr is None:
        return None
    if age // incr >= MOST_SAMPLES:
        raise ValueError(f"{name}_age={age} and {name}_incr={incr} are {age // incr + 1} samples, over {MOST_SAMPLES}")
    return Range(age, incr)


def _seconds(query: Mapping[str, str], name: str) -> int | None:
    text = query.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit()) or not 0 < len(text) < 10 or not int(text):
        raise ValueError(f"{name} must be a whole number of seconds from 1 on, not {text!r}")
    return int(text)
