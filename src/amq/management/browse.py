"""The messages of a queue, as they wait: listed and shown without taking them, without `redelivered`, order, time to
live or consumers being any the wiser; who holds those that are not acknowledged; and single ones deleted.
"""

from functools import partial
from typing import Any, Final

from amq.management.answers import JSON, Answer, encode, no_content, octets, ok
from amq.management.call import Call
from amq.management.endpoint import MANAGEMENT, Endpoint, Parameter, Schema
from amq.management.entity_schemas import TRUTH, WHOLE, array_of, record
from amq.management.errors import ApiError, BadRequest, NotFound
from amq.management.message_query import (
    LISTED,
    MOST_LISTED,
    MOST_POSITION,
    MOST_SCANNED,
    Choice,
    chosen,
    flag,
    number,
    readable_queue,
)
from amq.management.scanning import Scan, standing_at
from amq.management.shown_message import AUTO, STANDING, checked_encoding, fingerprint, message_json
from amq.management.unacked import HOLDING, unacked
from amq.queues.looking import Seen, remove
from amq.queues.stored import StoredQueue

# Octets of a payload that a list shows, and of all payloads of one answer together.
TRUNCATED: Final = 50_000
MOST_SHOWN: Final = 8 << 20
UNCUT: Final = 1 << 40


def seen_json(seen: Seen, truncate: int, encoding: str) -> dict[str, Any]:
    """A message with its place in the queue."""
    return {
        "position": seen.position,
        "fingerprint": fingerprint(seen.message),
        **message_json(seen.message, seen.redelivered, truncate, encoding),
    }


async def messages(call: Call) -> Answer:
    """The messages of a queue in order, those that a selector takes, page by page."""
    _, queue = readable_queue(call)
    choice = await chosen(call.query, LISTED, MOST_LISTED)
    truncate = number(call.query, "truncate", TRUNCATED, 0, UNCUT)
    encoding = checked_encoding(call.query.get("encoding", AUTO))
    scan = Scan(call.node, queue, choice.start, choice.scan)
    found = await listed(scan, choice, truncate, encoding)
    figures = {
        "scanned": scan.scanned,
        "next": scan.next,
        "messages_ready": queue.ready_count(),
        "messages_unacknowledged": queue.unacked,
    }
    return octets([b'{"messages":[', b",".join(found), b"],", encode(figures)[1:]], JSON)


async def listed(scan: Scan, choice: Choice, truncate: int, encoding: str) -> list[bytes]:
    """What the choice takes, as far as one answer goes: each as JSON already, for a thousand at once take long."""
    found: list[bytes] = []
    shown = 0
    while part := await scan.part():
        for seen in part:
            if choice.takes(seen):
                shown += min(truncate, len(seen.message.body))
                if found and shown > MOST_SHOWN:
                    return found
                found.append(encode(seen_json(seen, truncate, encoding)))
            scan.saw(seen)
            if len(found) == choice.limit:
                return found
    return found


async def message(call: Call) -> Answer:
    """One message, whole."""
    _, queue = readable_queue(call)
    truncate = number(call.query, "truncate", UNCUT, 0, UNCUT)
    encoding = checked_encoding(call.query.get("encoding", AUTO))
    return ok(seen_json(await standing(call, queue), truncate, encoding))


async def standing(call: Call, queue: StoredQueue) -> Seen:
    """The message at the position that the path names. Raises NotFound and BadRequest."""
    position = number(call.path, "position", -1, 0, MOST_POSITION)
    seen = await standing_at(call.node, queue, position)
    if seen is None:
        raise NotFound(f"no message waits at position {position}", "not_found")
    return seen


async def delete_one(call: Call) -> Answer:
    """Delete one message, if it is the one that is meant."""
    _, queue = readable_queue(call)
    seen = await standing(call, queue)
    check_identity(call, seen)
    if not call.node.work(partial(remove, queue, seen.position, seen.message)):
        raise NotFound(f"no message waits at position {seen.position} any more", "not_found")
    await call.node.safe()
    return no_content()


def check_identity(call: Call, seen: Seen) -> None:
    """Raise ApiError(409) when the message is not the one that the request describes."""
    expected = call.query.get("fingerprint")
    if expected is not None and expected != fingerprint(seen.message):
        raise ApiError(409, "conflict", f"the message at position {seen.position} has another fingerprint")
    message_id = call.query.get("message_id")
    if message_id is not None:
        found = seen.message.properties.message_id
        if found is None or found != message_id.encode("utf-8", "surrogateescape"):
            raise ApiError(409, "conflict", f"the message at position {seen.position} has another message_id")


async def delete_selected(call: Call) -> Answer:
    """Delete the messages that a selector takes, or say how many it would take."""
    _, queue = readable_queue(call)
    choice = await chosen(call.query, MOST_SCANNED, MOST_SCANNED)
    if choice.selector is None:
        raise BadRequest("a selector or a message_id is needed; DELETE .../contents deletes all messages")
    dry_run = flag(call.query, "dry_run")
    scan = Scan(call.node, queue, choice.start, choice.scan)
    count = await deleted(scan, choice, dry_run)
    await call.node.safe()
    return ok({"dry_run": dry_run, "deleted": count, "scanned": scan.scanned, "next": scan.next})


async def deleted(scan: Scan, choice: Choice, dry_run: bool) -> int:
    """Delete what the choice takes; returns how many messages that were, or would be."""
    count = 0
    while part := await scan.part():
        taken: list[Seen] = []
        for seen in part:
            scan.saw(seen)
            if choice.takes(seen):
                taken.append(seen)
                if count + len(taken) == choice.limit:
                    break
        count += len(taken) if dry_run else scan.node.work(partial(removed, scan.queue, taken))
        if count >= choice.limit:
            break
    return count


def removed(queue: StoredQueue, taken: list[Seen]) -> int:
    """Delete these; returns how many of them still waited."""
    return sum(remove(queue, seen.position, seen.message) for seen in taken)


_ONE: Final = "/amq/queues/{vhost}/{queue}/messages"
_NONE: Final = "there is no such queue"
_WHOLE: Final[Schema] = {"type": "integer", "minimum": 0}
_CURSOR: Final[Schema] = {"type": ["integer", "null"]}
SELECTION: Final = (
    Parameter("selector", "which messages, see the reference of selectors; all of them without it"),
    Parameter("message_id", "only messages with this property"),
    Parameter("from", "go on behind this position: `next` of the answer before", {"type": "integer", "minimum": -1}),
    Parameter(
        "scan",
        "how many messages are looked at at most",
        {"type": "integer", "minimum": 1, "maximum": MOST_SCANNED},
    ),
)
SHOWING: Final = (
    Parameter("truncate", "how many octets of a payload are shown", _WHOLE),
    Parameter("encoding", "`base64`, or `auto` for text as text", {"enum": [AUTO, "base64"]}),
)
_DRY_RUN: Final = Parameter("dry_run", "`true`: only count", {"enum": ["true", "false"]})


def _limit(most: int, meaning: str) -> Parameter:
    return Parameter("limit", meaning, {"type": "integer", "minimum": 1, "maximum": most})


TABLE: Final = (
    Endpoint(
        "GET",
        _ONE,
        MANAGEMENT,
        messages,
        "List the messages that wait in a queue, without taking them",
        {
            200: record(
                "messages scanned next messages_ready messages_unacknowledged",
                messages=array_of(STANDING),
                scanned=WHOLE,
                next=_CURSOR,
                messages_ready=WHOLE,
                messages_unacknowledged=WHOLE,
            ),
            400: "the selector or another parameter has a mistake, or the queue is another connection's own",
            404: _NONE,
        },
        query=(*SELECTION, _limit(MOST_LISTED, "how many messages are listed at most"), *SHOWING),
    ),
    Endpoint(
        "DELETE",
        _ONE,
        MANAGEMENT,
        delete_selected,
        "Delete the messages that a selector takes",
        {
            200: record("dry_run deleted scanned next", dry_run=TRUTH, deleted=WHOLE, scanned=WHOLE, next=_CURSOR),
            400: "there is no selector, or it has a mistake, or the queue is another connection's own",
            404: _NONE,
        },
        query=(*SELECTION, _limit(MOST_SCANNED, "how many messages are deleted at most"), _DRY_RUN),
    ),
    Endpoint(
        "GET",
        _ONE + "/{position}",
        MANAGEMENT,
        message,
        "Show one message that waits in a queue",
        {200: STANDING, 400: "no position, or another connection's own queue", 404: "no message waits there"},
        query=SHOWING,
    ),
    Endpoint(
        "DELETE",
        _ONE + "/{position}",
        MANAGEMENT,
        delete_one,
        "Delete one message that waits in a queue",
        {
            204: "deleted",
            400: "no position, or another connection's own queue",
            404: "no message waits there",
            409: "it is another message than the request says",
        },
        query=(
            Parameter("fingerprint", "only if the message has this fingerprint"),
            Parameter("message_id", "only if the message has this property"),
        ),
    ),
    Endpoint(
        "GET",
        "/amq/queues/{vhost}/{queue}/unacked",
        MANAGEMENT,
        unacked,
        "List who holds messages of a queue that are not acknowledged yet",
        {
            200: record("messages messages_unacknowledged", messages=array_of(HOLDING), messages_unacknowledged=WHOLE),
            400: "a parameter has a mistake, or the queue is another connection's own",
            404: _NONE,
        },
        query=(_limit(MOST_LISTED, "how many are listed at most"), *SHOWING),
    ),
)
