"""What stalls.py lets happen beside the flow. Each event is a generator: it prepares, yields, and then does it.

What comes behind the `yield` is what may hold others up; the event ends when the broker has answered for it.
"""

from typing import Final

from stalls_huge import (
    huge_delivered,
    huge_got,
    huge_limited,
    huge_published,
    huge_rejected,
    huge_slow,
    slow_consumer,
    stuck_consumer,
)
from stalls_long import (
    acknowledged,
    closed,
    committed,
    delayed,
    delete,
    delete_vhost,
    exclusive_closed,
    expired_queue,
    limited_by_policy,
    long_consumed,
    nacked,
    purge,
    recovered,
    wave,
)
from stalls_operators import connected, imported, imported_by_command, large_document, listed, logins, moved
from stalls_stage import Event

# Name: the event, and whether it needs the HTTP API.
EVENTS: Final[dict[str, tuple[Event, bool]]] = {
    "stuck-consumer": (stuck_consumer, False),
    "slow-consumer": (slow_consumer, False),
    "huge-published": (huge_published(False), False),
    "huge-published-5": (huge_published(False, 5), False),
    "huge-published-durable": (huge_published(True), False),
    "huge-published-durable-5": (huge_published(True, 5), False),
    "huge-delivered": (huge_delivered(False), False),
    "huge-delivered-5": (huge_delivered(False, 5), False),
    "huge-delivered-durable": (huge_delivered(True), False),
    "huge-got": (huge_got, False),
    "huge-slow-reader": (huge_slow, False),
    "huge-dead-lettered": (huge_rejected(False, True), False),
    "huge-dead-lettered-durable": (huge_rejected(True, True), False),
    "huge-requeued": (huge_rejected(False, False), False),
    "huge-max-length-bytes": (huge_limited, False),
    "purge": (purge(False), False),
    "purge-durable": (purge(True), False),
    "purge-paged": (purge(False, True), False),
    "purge-durable-paged": (purge(True, True), False),
    "delete": (delete(False), False),
    "delete-durable": (delete(True), False),
    "delete-vhost": (delete_vhost, True),
    "exclusive-closed": (exclusive_closed, False),
    "expired-queue": (expired_queue, False),
    "policy-max-length": (limited_by_policy(False), True),
    "policy-max-length-dead": (limited_by_policy(True), True),
    "long-consumed": (long_consumed(False), False),
    "long-consumed-durable": (long_consumed(True), False),
    "channel-closed": (closed(False), False),
    "channel-closed-durable": (closed(False, True), False),
    "connection-closed": (closed(True), False),
    "recover": (recovered, False),
    "nack-multiple": (nacked, False),
    "ack-multiple": (acknowledged(False), False),
    "ack-multiple-durable": (acknowledged(True), False),
    "commit": (committed(False), False),
    "commit-durable": (committed(True), False),
    "ttl-queue": (wave(False, False), False),
    "ttl-queue-dead": (wave(False, True), False),
    "ttl-message": (wave(True, False), False),
    "ttl-message-dead": (wave(True, True), False),
    "ttl-message-durable": (wave(True, False, True), False),
    "delayed": (delayed, True),
    "import-http": (imported, True),
    "import-command": (imported_by_command, True),
    "lists": (listed, True),
    "large-document": (large_document, True),
    "move": (moved(False), True),
    "move-durable": (moved(True), True),
    "logins": (logins, True),
    "connections": (connected, False),
}
# These need the budget for messages in memory to be small.
PAGED: Final = frozenset({"purge-paged", "purge-durable-paged"})
