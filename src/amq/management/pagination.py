"""Pages of a list: `page`, `page_size`, `name` and `use_regex`, with RabbitMQ's bounds and words."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeVar

import attrs

from amq.lang.pattern import Pattern, PatternError, compile_filter
from amq.management.errors import BadRequest

T = TypeVar("T")

PAGE_SIZE: Final = 100
MOST_PER_PAGE: Final = 500
_INVALID: Final = "invalid_pagination_parameters"
_WHOLE: Final = re.compile(r"[+-]?[0-9]{1,40}")


@attrs.frozen
class Page:
    """Page `number` (from 1) of `size` items each, of those whose names match."""

    number: int
    size: int
    name: str = ""
    pattern: "Pattern | None" = None

    def matches(self, name: str) -> bool:
        """Whether an item of that name is among those asked for. Case does not count."""
        if self.pattern is not None:
            return self.pattern.search(name.encode("utf-8", "surrogateescape")) is not None
        return self.name in name.lower()

    def cut(self, items: Sequence[T]) -> Sequence[T]:
        """The items of this page.

        Raises BadRequest when there are none because others end before it.
        """
        first = (self.number - 1) * self.size
        if first >= len(items) and self.number > 1:
            raise BadRequest(
                f"Page out of range, page: {self.number} page size: {self.size}, len: {len(items)}", "page_out_of_range"
            )
        return items[first : first + self.size]

    def wrap(self, count: int, filtered: int, total: int) -> dict[str, Any]:
        """What the answer says besides its `count` items: how many there are after and before filtering."""
        return {
            "filtered_count": filtered,
            "item_count": count,
            "page": self.number,
            "page_count": -(-filtered // self.size),
            "page_size": self.size,
            "total_count": total,
        }


def page_asked_for(query: Mapping[str, str]) -> Page | None:
    """The page that a query asks for; None when it wants everything.

    Raises BadRequest.
    """
    if "page" not in query:
        return None
    number = _whole(query["page"])
    size = _whole(query["page_size"]) if "page_size" in query else None
    if number < 1 or (size is not None and not 1 <= size <= MOST_PER_PAGE):
        shown = "undefined" if size is None else size
        raise BadRequest(f"Invalid pagination parameters: page number {number}, page size {shown}", _INVALID)
    name = query.get("name", "")
    pattern = _pattern(name) if name and query.get("use_regex") == "true" else None
    return Page(number, size or PAGE_SIZE, name.lower(), pattern)


def _whole(text: str) -> int:
    if _WHOLE.fullmatch(text) is None:
        raise BadRequest("Pagination parameters are invalid")
    return int(text)


def _pattern(text: str) -> Pattern:
    try:
        return compile_filter(f"(?i){text}")
    except PatternError:
        raise BadRequest("Pagination parameters are invalid") from None
