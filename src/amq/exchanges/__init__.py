"""The exchange types that clients can declare. A plug-in enters its own with `register`."""

from amq.exchanges.consistent_hash import ConsistentHash
from amq.exchanges.delayed import Delayed
from amq.exchanges.direct import Direct
from amq.exchanges.fanout import Fanout
from amq.exchanges.headers import Headers
from amq.exchanges.random_choice import RandomChoice
from amq.exchanges.recent_history import RecentHistory
from amq.exchanges.registry import TYPES, exchange_type, register
from amq.exchanges.topic import Topic

__all__ = ["TYPES", "exchange_type", "register"]

for _cls in (Direct, Fanout, Topic, Headers, ConsistentHash, RandomChoice, RecentHistory, Delayed):
    register(_cls)
