"""The exchange types that clients can declare. A plug-in enters its own with `register`."""

from amq.exchanges.base import Exchange
from amq.exchanges.consistent_hash import ConsistentHash
from amq.exchanges.direct import Direct
from amq.exchanges.fanout import Fanout
from amq.exchanges.headers import Headers
from amq.exchanges.random_choice import RandomChoice
from amq.exchanges.recent_history import RecentHistory
from amq.exchanges.topic import Topic

TYPES: dict[bytes, type[Exchange]] = {}


def register(cls: type[Exchange]) -> None:
    """Enter a type under its `type_name`. Distributions announce theirs in the entry-point group `amq.exchanges`.

    Raises ValueError when it has no name or another type has it.
    """
    name = cls.type_name.encode()
    if not name:
        raise ValueError(f"{cls.__qualname__} has no type_name")
    if TYPES.setdefault(name, cls) is not cls:
        raise ValueError(f"exchange type {cls.type_name!r} is taken by {TYPES[name].__qualname__}")


def exchange_type(name: bytes) -> type[Exchange] | None:
    """The type of that name, or None."""
    return TYPES.get(name)


for _cls in (Direct, Fanout, Topic, Headers, ConsistentHash, RandomChoice, RecentHistory):
    register(_cls)
