"""Lists as RabbitMQ answers them: filtered by name, sorted, cut into pages, reduced to columns.

Works in slices: nothing here keeps the broker from its messages for longer than SLICE.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, Generic, TypeVar

from amq.management.answers import JSON, Answer, encode, octets, ok
from amq.management.call import Call
from amq.management.columns import Columns
from amq.management.ordering import Order
from amq.management.pagination import Page, page_asked_for
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
    order = Order(call.query, sorts)
    encoding = Encoding(describe, Columns(call.query), Turns())
    everything = list(items)
    if name is None or (order.asked and order.asked not in values):
        kept = everything
        if page is not None and name is not None:
            kept = [item async for item in encoding.turns.each(everything) if page.matches(name(item))]
        return await _by_description(call, kept, encoding, order, page, name is None, len(everything))
    if page is None:
        async with call.node.whole_lists:
            encoded = await encoding.all(await _ordered(everything, encoding, order, values))
            return octets(await _array(encoded, encoding.turns), JSON)
    kept = [item async for item in encoding.turns.each(everything) if page.matches(name(item))]
    kept = await _ordered(kept, encoding, order, values)
    return await _paged(page, await encoding.all(page.cut(kept)), len(kept), len(everything), encoding.turns)


async def listing_of(call: Call, items: Iterable[Item], *, sorts: Sequence[str] = ("vhost", "name")) -> Answer:
    """The same for items that are described already."""
    return await listing(call, items, _itself, sorts=sorts)


class Encoding(Generic[T]):
    """From items to the octets of their descriptions. These are not kept: ten thousand of them would have Python's
    garbage collector look at every field of each, again and again.
    """

    __slots__ = ("describe", "columns", "turns")

    def __init__(self, describe: Callable[[T], Item], columns: Columns, turns: Turns) -> None:
        self.describe = describe
        self.columns = columns
        self.turns = turns

    def one(self, description: Item) -> bytes:
        """The octets of one description."""
        return encode(self.columns.pick(description))

    async def all(self, items: Sequence[T]) -> list[bytes]:
        """The octets of each."""
        return [self.one(self.describe(item)) async for item in self.turns.each(items)]


async def _ordered(
    items: list[T], encoding: Encoding[T], order: Order, values: Mapping[str, Callable[[T], Any]]
) -> list[T]:
    """Items that were in the list's own order, in the one that was asked for."""
    if order.asked:
        return await order.sort_by(items, values[order.asked], encoding.turns)
    return items[::-1] if order.reverse else items


async def _by_description(
    call: Call, items: list[T], encoding: Encoding[T], order: Order, page: Page | None, filtering: bool, total: int
) -> Answer:
    """Every item must be described to know where it stands: of a page's, only the place is kept."""
    keyed: list[tuple[Any, int]] = []
    encoded: list[bytes] = []
    async with call.node.whole_lists:
        async for number, item in encoding.turns.each(enumerate(items)):
            description = encoding.describe(item)
            if page is None:
                encoded.append(encoding.one(description))
            elif filtering and not page.matches(str(description.get("name", ""))):
                continue
            keyed.append((order.key(description), number))
        numbers = await order.numbers(keyed, encoding.turns)
        if page is None:
            return octets(await _array([encoded[number] for number in numbers], encoding.turns), JSON)
        shown = await encoding.all([items[number] for number in page.cut(numbers)])
    return await _paged(page, shown, len(numbers), total, encoding.turns)


async def item_with(call: Call, item: Item, field: str, inner: Iterable[T], describe: Callable[[T], Item]) -> Answer:
    """Answer with one item that has a field with a list of what may be very many, as a request's columns want it."""
    turns = Turns()
    if "columns" in call.query:
        return ok({**item, field: [describe(each) async for each in turns.each(inner)]})
    encoded = [encode(describe(each)) async for each in turns.each(inner)]
    parts = [encode({field: None})[: -len("null}")], *await _array(encoded, turns), b"," + encode(item)[1:]]
    return octets(parts, JSON)


def _itself(item: Item) -> Item:
    return item


async def _array(encoded: list[bytes], turns: Turns) -> list[bytes]:
    """A JSON array in parts. To join ten thousand items at once would take 10 ms."""
    starts = turns.each(range(0, len(encoded), PER_PART))
    parts = [b"," * (start > 0) + b",".join(encoded[start : start + PER_PART]) async for start in starts]
    return [b"[", *parts, b"]"]


async def _paged(page: Page, encoded: list[bytes], filtered: int, total: int, turns: Turns) -> Answer:
    """A page in parts. Columns are picked from the items, not from what they are wrapped in."""
    wrapped = encode(page.wrap(len(encoded), filtered, total))
    return octets([b'{"items":', *await _array(encoded, turns), b"," + wrapped[1:]], JSON)
