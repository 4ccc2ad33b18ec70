"""Lists as RabbitMQ answers them: filtered by name, sorted, cut into pages, reduced to columns.

Works in slices: nothing here keeps the broker from its messages for longer than SLICE.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, TypeVar

from amq.management.answers import JSON, Answer, encode, octets
from amq.management.call import Call
from amq.management.columns import Columns
from amq.management.ordering import Order
from amq.management.pagination import page_asked_for
from amq.management.turns import Turns

T = TypeVar("T")
Item = dict[str, Any]

NOTHING: Final[Mapping[str, Callable[[Any], Any]]] = {}
# Items whose octets are joined into one part of the body.
PER_PART: Final = 50


async def listing(
    call: Call,
    items: Iterable[T],
    describe: Callable[[T], Item],
    *,
    name: Callable[[T], str] | None = None,
    sorts: Sequence[str] = ("vhost", "name"),
    values: Mapping[str, Callable[[T], Any]] = NOTHING,
) -> Answer:
    """Answer with these items, each as `describe` describes it, as the request's parameters want to see them.

    Lists are sorted by `sorts` unless the request names something else. `name` is what `name` and `use_regex` filter
    by; when it is given, `items` are in the right order already, and then only those of the page that was asked for
    are described: without `sort`, and when it names one of the fields whose `values` are known without a description.
    Raises BadRequest for parameters that make no sense.
    """
    page = page_asked_for(call.query)
    columns = Columns(call.query)
    order = Order(call.query, sorts)
    turns = Turns()
    everything = list(items)
    if page is not None and name is not None and (not order.asked or order.asked in values):
        kept = [item async for item in turns.each(everything) if page.matches(name(item))]
        if order.asked:
            kept = await order.sort_by(kept, values[order.asked], turns)
        elif order.reverse:
            kept.reverse()
        chosen = [columns.pick(describe(item)) async for item in turns.each(page.cut(kept))]
        return _paged(page.wrap(chosen, len(kept), len(everything)))
    if page is None:
        async with call.node.whole_lists:
            described = [describe(item) async for item in turns.each(everything)]
            return await _whole(columns, await order.sort(described, turns), turns)
    described = [describe(item) async for item in turns.each(everything)]
    found = [item async for item in turns.each(described) if page.matches(str(item.get("name", "")))]
    ordered = await order.sort(found, turns)
    return _paged(page.wrap([columns.pick(item) for item in page.cut(ordered)], len(ordered), len(everything)))


def _paged(wrapped: Item) -> Answer:
    # Columns are picked from the items, not from what they are wrapped in.
    return octets([encode(wrapped)], JSON)


async def listing_of(call: Call, items: Iterable[Item], *, sorts: Sequence[str] = ("vhost", "name")) -> Answer:
    """The same for items that are described already."""
    return await listing(call, items, _itself, sorts=sorts)


def _itself(item: Item) -> Item:
    return item


async def _whole(columns: Columns, items: list[Item], turns: Turns) -> Answer:
    """All items, encoded in slices: one go over ten thousand would take half a second."""
    parts: list[bytes] = []
    gathered: list[bytes] = []
    async for item in turns.each(items):
        gathered.append(encode(columns.pick(item)))
        if len(gathered) == PER_PART:
            parts.append((b"," if parts else b"[") + b",".join(gathered))
            gathered = []
    if gathered:
        parts.append((b"," if parts else b"[") + b",".join(gathered))
    parts.append(b"]" if parts else b"[]")
    return octets(parts, JSON)
