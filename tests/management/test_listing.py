"""Lists: pages, filters, order, columns."""

from collections.abc import Callable, Mapping
from typing import Any

import httpx
import pytest

from amq.management.answers import Answer
from amq.management.call import Call
from amq.management.errors import BadRequest
from amq.management.listing import listing, listing_of
from amq.management.node import Node

Item = dict[str, Any]
List = Callable[..., Any]
PLANETS = [("mercury", 1), ("venus", 2), ("earth", 3), ("mars", 4), ("jupiter", 5), ("saturn", 6)]


def call_for(node: Node, query: Mapping[str, str]) -> Call:
    user = node.broker.users.get("guest")
    assert user is not None
    return Call(
        node=node,
        user=user,
        local=False,
        source="127.0.0.1",
        secure=False,
        method="GET",
        path={},
        query=query,
        headers={},
        body=b"",
    )


def described(planet: tuple[str, int]) -> Item:
    name, number = planet
    return {"name": name, "vhost": "/", "number": number, "stats": {"moons": number % 3, "rings": None}}


def value(answer: Answer) -> Any:
    assert answer.parts is not None
    return httpx.Response(200, content=b"".join(answer.parts)).json()


@pytest.fixture
def listed(node: Node) -> List:
    """The planets by name, as a query wants them; twice: known by name, and known by their descriptions only."""

    async def list_them(count: int = 6, **query: str) -> Any:
        planets = (PLANETS * (count // 6 + 1))[:count]
        call = call_for(node, query)
        by_name = await listing(call, sorted(planets), described, name=lambda planet: planet[0])
        by_description = await listing_of(call, map(described, planets))
        assert value(by_name) == value(by_description)
        return value(by_name)

    return list_them


def names(items: list[Item]) -> list[str]:
    return [item["name"] for item in items]


async def test_without_a_page_everything_is_listed_in_the_order_of_the_list(listed: List) -> None:
    assert names(await listed()) == ["earth", "jupiter", "mars", "mercury", "saturn", "venus"]


async def test_an_empty_list_is_a_list(node: Node) -> None:
    assert value(await listing_of(call_for(node, {}), [])) == []


@pytest.mark.parametrize("count", [50, 51, 250, 251, 1200])
async def test_a_list_is_whole_however_it_is_cut_up(node: Node, count: int) -> None:
    items = [{"name": f"{number:05}", "vhost": "/"} for number in range(count)]
    assert value(await listing_of(call_for(node, {}), items[::-1])) == items


async def test_a_page_tells_how_many_there_are(listed: List) -> None:
    page = await listed(page="2", page_size="4")
    assert names(page.pop("items")) == ["saturn", "venus"]
    assert page == {
        "filtered_count": 6,
        "item_count": 2,
        "page": 2,
        "page_count": 2,
        "page_size": 4,
        "total_count": 6,
    }


async def test_the_first_page_of_nothing_is_empty(node: Node) -> None:
    page = value(await listing_of(call_for(node, {"page": "1"}), []))
    assert (page["items"], page["page_count"], page["page_size"]) == ([], 0, 100)


@pytest.mark.parametrize(
    "query, error, reason",
    [
        ({"page": "0"}, "invalid_pagination_parameters", "page number 0, page size undefined"),
        ({"page": "-1", "page_size": "3"}, "invalid_pagination_parameters", "page number -1, page size 3"),
        ({"page": "1", "page_size": "501"}, "invalid_pagination_parameters", "page number 1, page size 501"),
        ({"page": "1", "page_size": "0"}, "invalid_pagination_parameters", "page number 1, page size 0"),
        ({"page": "3", "page_size": "3"}, "page_out_of_range", "Page out of range, page: 3 page size: 3, len: 6"),
        ({"page": "abc"}, "bad_request", "Pagination parameters are invalid"),
        ({"page": ""}, "bad_request", "Pagination parameters are invalid"),
        ({"page": "1.5"}, "bad_request", "Pagination parameters are invalid"),
        ({"page": "1" * 50}, "bad_request", "Pagination parameters are invalid"),
        ({"page": "1", "page_size": ""}, "bad_request", "Pagination parameters are invalid"),
        ({"page": "1", "name": "[", "use_regex": "true"}, "bad_request", "Pagination parameters are invalid"),
    ],
)
async def test_pages_that_make_no_sense_are_refused_in_rabbitmqs_words(
    listed: List, query: dict[str, str], error: str, reason: str
) -> None:
    with pytest.raises(BadRequest) as refused:
        await listed(**query)
    assert (refused.value.error, refused.value.status) == (error, 400)
    assert reason in str(refused.value.reason)


@pytest.mark.parametrize(
    "query, expected",
    [
        ({"name": "AR"}, ["earth", "mars"]),
        ({"name": "."}, []),
        ({"name": "^M.R", "use_regex": "true"}, ["mars", "mercury"]),
        ({"name": "r$", "use_regex": "true"}, ["jupiter"]),
        ({"name": "ar", "use_regex": "maybe"}, ["earth", "mars"]),
        ({"name": ""}, ["earth", "jupiter", "mars", "mercury", "saturn", "venus"]),
    ],
)
async def test_names_are_searched_whatever_their_case(listed: List, query: dict[str, str], expected: list[str]) -> None:
    page = await listed(page="1", **query)
    assert names(page["items"]) == expected
    assert (page["filtered_count"], page["total_count"]) == (len(expected), 6)


async def test_without_a_page_names_are_not_searched(listed: List) -> None:
    assert len(await listed(name="ar")) == 6


@pytest.mark.parametrize(
    "query, expected",
    [
        ({"sort": "number"}, ["mercury", "venus", "earth", "mars", "jupiter", "saturn"]),
        ({"sort": "number", "sort_reverse": "true"}, ["saturn", "jupiter", "mars", "earth", "venus", "mercury"]),
        ({"sort": "number", "sort_reverse": "foo"}, ["mercury", "venus", "earth", "mars", "jupiter", "saturn"]),
        ({"sort": "stats.moons"}, ["earth", "saturn", "mars", "mercury", "jupiter", "venus"]),
        ({"sort": "nonsense"}, ["earth", "jupiter", "mars", "mercury", "saturn", "venus"]),
        ({"sort": "nonsense.deeper"}, ["earth", "jupiter", "mars", "mercury", "saturn", "venus"]),
        ({"sort": ""}, ["earth", "jupiter", "mars", "mercury", "saturn", "venus"]),
        ({"sort_reverse": "true"}, ["venus", "saturn", "mercury", "mars", "jupiter", "earth"]),
    ],
)
async def test_lists_are_sorted_by_any_field_and_then_by_name(
    listed: List, query: dict[str, str], expected: list[str]
) -> None:
    assert names(await listed(**query)) == expected
    assert names((await listed(page="1", **query))["items"]) == expected


async def test_values_of_all_kinds_have_an_order(node: Node) -> None:
    values = ["text", [2, 1], [1], {"a": 1}, True, False, None, 3, 2.5]
    items = [{"name": str(number), "value": each} for number, each in enumerate(values)] + [{"name": "nothing"}]
    ordered = value(await listing_of(call_for(node, {"sort": "value"}), items))
    assert [item.get("value", 0) for item in ordered] == [0, 2.5, 3, False, None, True, {"a": 1}, [1], [2, 1], "text"]


async def test_a_field_whose_values_are_known_is_sorted_by_without_descriptions(node: Node) -> None:
    seen = []

    def describe(planet: tuple[str, int]) -> Item:
        seen.append(planet[0])
        return described(planet)

    call = call_for(node, {"page": "1", "page_size": "2", "sort": "number", "sort_reverse": "true"})
    answer = await listing(call, sorted(PLANETS), describe, name=lambda p: p[0], values={"number": lambda p: p[1]})
    assert names(value(answer)["items"]) == ["saturn", "jupiter"]
    assert seen == ["saturn", "jupiter"]


async def test_columns_are_picked_from_the_items(listed: List) -> None:
    expected = {"number": 3, "stats": {"moons": 0}}
    assert (await listed(columns="number,stats.moons,stats.nothing,number.x"))[0] == expected
    page = await listed(page="1", page_size="1", columns="number,stats.moons")
    assert (page["items"], page["total_count"]) == ([expected], 6)


async def test_an_empty_column_is_none(listed: List) -> None:
    assert await listed(columns="") == [{}] * 6


async def test_names_that_are_no_text_are_told_as_well_as_can_be(node: Node) -> None:
    items = [{"name": b"caf\xe9".decode("utf-8", "surrogateescape")}, {"name": "café"}]
    assert value(await listing_of(call_for(node, {}), items)) == [{"name": "café"}, {"name": "caf?"}]
