"""What requests about the messages of a queue have in common: which queue, which messages, how many at most."""

from collections.abc import Mapping
from typing import Any, Final

import attrs
import trio

from amq.connection.channel import Channel
from amq.connection.entities import usable_queue
from amq.lang.selector import And, Constant, Equal, Selector, SelectorError
from amq.lang.selector_grammar import parse
from amq.lang.selector_names import PLAIN
from amq.management.call import Call
from amq.management.entities_json import octets
from amq.management.errors import BadRequest
from amq.queues.looking import Seen
from amq.queues.stored import StoredQueue

# Longer selectors are parsed in a thread: it may take some milliseconds.
SHORT: Final = 200
# Messages that one request looks at, unless it asks for fewer.
MOST_SCANNED: Final = 50_000
MOST_LISTED: Final = 1_000
MOST_POSITION: Final = (1 << 63) - 1
LISTED: Final = 50


def readable_queue(call: Call) -> tuple[Channel, StoredQueue]:
    """The queue that the path names, and a channel of who asks.

    As for `basic.get` and `queue.purge`, read permission is needed, and nobody reaches the exclusive queue of a
    connection. Raises ChannelFault.
    """
    channel = call.channel(call.vhost)
    name = octets(call.path["queue"])
    channel.session.access.read("queue", name)
    queue = usable_queue(channel, name)
    assert isinstance(queue, StoredQueue), "others have no name"
    return channel, queue


@attrs.frozen
class Choice:
    """Which messages a request is about: behind a position (-1: from the head on), those that `selector` takes (None:
    all), `limit` of them at most, among `scan` messages at most.
    """

    start: int
    selector: Selector | None
    limit: int
    scan: int

    def takes(self, seen: Seen) -> bool:
        """Whether a message is one of them."""
        return self.selector is None or self.selector.matches(seen.message, seen.redelivered)


async def chosen(values: Mapping[str, Any], limit: int, most: int) -> Choice:
    """What the parameters of a request say: `selector`, `message_id`, `from`, `limit`, `scan`.

    `limit` holds if the request has none, and it must not have more than `most`. Raises BadRequest.
    """
    text = values.get("selector")
    if text is not None and not isinstance(text, str):
        raise BadRequest("selector must be a string")
    selector = await selected(text) if text is not None and text.strip() else None
    message_id = values.get("message_id")
    if message_id is not None:
        if not isinstance(message_id, str):
            raise BadRequest("message_id must be a string")
        selector = of_message(message_id, selector)
    start = number(values, "from", -1, -1, MOST_POSITION)
    return Choice(start, selector, number(values, "limit", limit, 1, most), scan_of(values))


def scan_of(values: Mapping[str, Any]) -> int:
    """How many messages may be looked at. Raises BadRequest."""
    return number(values, "scan", MOST_SCANNED, 1, MOST_SCANNED)


async def selected(text: str) -> Selector:
    """The selector of that text. Raises BadRequest, which says where the mistake is and what is allowed there."""
    try:
        return parse(text) if len(text) <= SHORT else await trio.to_thread.run_sync(parse, text)
    except SelectorError as error:
        raise BadRequest(f"selector, {error}") from None


def of_message(message_id: str, selector: Selector | None) -> Selector:
    """The selector for a message id, and for what else was asked for."""
    equal = Equal(PLAIN["message_id"], Constant(message_id))
    return Selector("", equal if selector is None else And([equal, selector.root]))


def number(values: Mapping[str, Any], name: str, default: int, least: int, most: int) -> int:
    """A whole number of a request, as such or as text. Raises BadRequest."""
    value = values.get(name)
    if value is None or value == "":
        return default
    try:
        found = int(value) if isinstance(value, str | int) and not isinstance(value, bool) else None
    except ValueError:
        found = None
    if found is None or not least <= found <= most:
        shown = repr(value) if len(repr(value)) <= 40 else "that"
        raise BadRequest(f"{name} must be a whole number from {least} to {most}, not {shown}")
    return found


def flag(values: Mapping[str, Any], name: str) -> bool:
    """true or false, as such or as text; False when it is not there. Raises BadRequest."""
    value = values.get(name)
    if value is None or value in (False, "false"):
        return False
    if value in (True, "true"):
        return True
    raise BadRequest(f"{name} must be true or false")
