"""Where a message would go: the endpoint says what the router does, and why."""

from typing import Any
from urllib.parse import quote

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amq.broker import Broker
from amq.destination import Destination
from amq.exchanges.base import Binding
from amq.exchanges.headers import Headers
from amq.exchanges.topic import Topic, pattern_words
from amq.management.explaining import matched, reason
from amq.message import Message, address
from amq.wire import properties as props
from amq.wire import tables

BARE = bytes.fromhex("003c0000") + bytes(8) + bytes(2)


async def exchange(client: httpx.AsyncClient, name: str, kind: str, **body: Any) -> None:
    answer = await client.put(f"/exchanges/%2F/{name}", json={"type": kind, **body})
    assert answer.status_code == 201, answer.text


async def bound(
    client: httpx.AsyncClient, source: str, destination: str, key: str, to: str = "q", **arguments: Any
) -> None:
    if to == "q":
        await client.put(f"/queues/%2F/{quote(destination)}", json={})
    answer = await client.post(
        f"/bindings/%2F/e/{source}/{to}/{quote(destination)}", json={"routing_key": key, "arguments": arguments}
    )
    assert answer.status_code == 201, answer.text


async def tried(client: httpx.AsyncClient, name: str, key: str, **body: Any) -> dict[str, Any]:
    answer = await client.post(f"/amq/exchanges/%2F/{name}/route", json={"routing_key": key, **body})
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def reasons(told: dict[str, Any], which: str = "hops") -> dict[str, str]:
    return {hop["destination"]: hop["reason"] for hop in told[which]}


async def test_a_direct_exchange_names_the_key_that_is_equal(client: httpx.AsyncClient) -> None:
    await bound(client, "amq.direct", "one", "a")
    await bound(client, "amq.direct", "other", "b")
    told = await tried(client, "amq.direct", "a")
    assert (told["routed"], told["queues"]) == (True, ["one"])
    assert reasons(told) == {"one": "the routing key is “a”"}
    assert reasons(told, "misses") == {"other": "its key is “b”"}


async def test_a_topic_says_what_each_wildcard_stands_for(client: httpx.AsyncClient) -> None:
    await bound(client, "amq.topic", "stars", "*.eu.*")
    await bound(client, "amq.topic", "hashes", "order.#")
    await bound(client, "amq.topic", "ends", "#.de.#")
    told = await tried(client, "amq.topic", "order.eu.de")
    assert reasons(told) == {
        "stars": "the pattern “*.eu.*” matches: * stands for “order”, * stands for “de”",
        "hashes": "the pattern “order.#” matches: # stands for “eu.de”",
        "ends": "the pattern “#.de.#” matches: # stands for “order.eu”, # stands for no word",
    }


async def test_a_topic_says_why_a_pattern_does_not_match(client: httpx.AsyncClient) -> None:
    await bound(client, "amq.topic", "long", "a.b.c")
    await bound(client, "amq.topic", "other", "a.*.x")
    await bound(client, "amq.topic", "hash", "x.#")
    await bound(client, "amq.topic", "third", "*.*.d")
    told = await tried(client, "amq.topic", "a.b")
    assert told["routed"] is False
    assert reasons(told, "misses")["long"] == "the pattern “a.b.c” wants 3 words, the key has 2"
    assert reasons(told, "misses")["hash"] == "the pattern “x.#” does not match"
    told = await tried(client, "amq.topic", "a.b.c")
    expected = "the pattern “a.*.x” wants “x” as word 3, the key has “c” there"
    assert reasons(told, "misses")["other"] == expected


async def test_a_headers_exchange_says_which_headers_match_and_which_are_missing(client: httpx.AsyncClient) -> None:
    await bound(client, "amq.headers", "all", "", **{"x-match": "all", "type": "order", "size": 3})
    await bound(client, "amq.headers", "any", "", **{"x-match": "any", "type": "order", "size": 4})
    await bound(client, "amq.headers", "everything", "")
    told = await tried(client, "amq.headers", "k", headers={"type": "order", "size": 3})
    assert reasons(told) == {
        "all": "the message has type = order and size = 3",
        "any": "it wants any, and the message has type = order",
        "everything": "it asks for no header",
    }
    told = await tried(client, "amq.headers", "k", headers={"size": 5})
    assert reasons(told, "misses") == {
        "all": "it wants type = order and size = 3; the message has no type and size = 5",
        "any": "it wants any of type = order and size = 4",
    }


async def test_bindings_between_exchanges_and_alternates_are_followed(client: httpx.AsyncClient) -> None:
    await exchange(client, "first", "topic", arguments={"alternate-exchange": "rest"})
    await exchange(client, "second", "direct")
    await exchange(client, "rest", "fanout")
    await bound(client, "first", "second", "a.*", to="e")
    await bound(client, "second", "deep", "a.b")
    await bound(client, "rest", "lost", "")
    told = await tried(client, "first", "a.b")
    assert [(hop["source"], hop["destination"], hop["kind"]) for hop in told["hops"]] == [
        ("first", "second", "binding"),
        ("second", "deep", "binding"),
    ]
    told = await tried(client, "first", "x")
    assert [(hop["source"], hop["destination"], hop["kind"]) for hop in told["hops"]] == [
        ("first", "rest", "alternate"),
        ("rest", "lost", "binding"),
    ]
    assert told["queues"] == ["lost"]
    # A binding to an exchange counts as a match although nothing comes of it there.
    told = await tried(client, "first", "a.x")
    assert (told["routed"], told["queues"]) == (False, [])


async def test_an_alternate_exchange_that_is_not_there_is_told(client: httpx.AsyncClient) -> None:
    await exchange(client, "first", "direct", arguments={"alternate-exchange": "nowhere"})
    told = await tried(client, "first", "k")
    assert told["notes"] == ["The alternate exchange “nowhere” of “first” does not exist."]


async def test_the_default_exchange_finds_queues_by_name(client: httpx.AsyncClient) -> None:
    await client.put("/queues/%2F/inbox", json={})
    told = await tried(client, "amq.default", "inbox")
    assert [(hop["kind"], hop["destination"]) for hop in told["hops"]] == [("default", "inbox")]
    told = await tried(client, "amq.default", "outbox")
    assert (told["routed"], told["notes"]) == (False, ["No queue has the name “outbox”."])


async def test_keys_of_cc_count_and_the_reason_says_so(client: httpx.AsyncClient) -> None:
    await bound(client, "amq.direct", "copy", "b")
    told = await tried(client, "amq.direct", "a", headers={"CC": ["b"]})
    assert reasons(told) == {"copy": "the routing key is “b” (the key “b” is from the header CC or BCC)"}


async def test_a_consistent_hash_tells_the_shares(client: httpx.AsyncClient) -> None:
    await exchange(client, "spread", "x-consistent-hash")
    await bound(client, "spread", "h1", "1")
    await bound(client, "spread", "h2", "3")
    told = await tried(client, "spread", "some key")
    assert len(told["queues"]) == 1
    share = {"h1": "1 in 4", "h2": "3 in 4"}[told["queues"][0]]
    assert list(reasons(told).values()) == [f"the hash of the routing key falls into its share of {share}"]
    assert len(told["misses"]) == 1


async def test_a_property_is_hashed_when_the_exchange_wants_it(client: httpx.AsyncClient) -> None:
    await exchange(client, "spread", "x-consistent-hash", arguments={"hash-property": "message_id"})
    for number in range(8):
        await bound(client, "spread", f"h{number}", "1")
    told = [await tried(client, "spread", "k", properties={"message_id": f"m{i}"}) for i in range(20)]
    assert len({one["queues"][0] for one in told}) > 1
    assert "the hash of the property message_id falls into" in told[0]["hops"][0]["reason"]


async def test_a_random_exchange_may_take_any_of_its_ways_and_draws_nothing(
    client: httpx.AsyncClient, broker: Broker
) -> None:
    await exchange(client, "dice", "x-random")
    await bound(client, "dice", "r1", "")
    await bound(client, "dice", "r2", "")
    state = broker.vhosts["/"].exchanges[b"dice"].state  # type: ignore[attr-defined]
    told = await tried(client, "dice", "k")
    assert (told["certain"], sorted(told["queues"])) == (False, ["r1", "r2"])
    assert broker.vhosts["/"].exchanges[b"dice"].state == state  # type: ignore[attr-defined]


async def test_a_recent_history_remembers_nothing_of_what_was_tried(client: httpx.AsyncClient, broker: Broker) -> None:
    await exchange(client, "history", "x-recent-history")
    await bound(client, "history", "h", "")
    assert (await tried(client, "history", "k"))["queues"] == ["h"]
    assert len(broker.vhosts["/"].exchanges[b"history"].history) == 0  # type: ignore[attr-defined]


async def test_a_delayed_exchange_says_how_long_a_message_waits(client: httpx.AsyncClient) -> None:
    await exchange(client, "later", "x-delayed-message", arguments={"x-delayed-type": "direct"})
    await bound(client, "later", "q", "k")
    told = await tried(client, "later", "k", headers={"x-delay": 5000})
    assert told["notes"] == ["The message waits in exchange “later” for 5000 ms first."]
    assert told["queues"] == ["q"]


async def test_nothing_is_published_by_trying(client: httpx.AsyncClient, broker: Broker) -> None:
    await bound(client, "amq.fanout", "q", "")
    await tried(client, "amq.fanout", "k")
    assert broker.vhosts["/"].queues[b"q"].ready_count() == 0
    assert broker.vhosts["/"].exchanges[b"amq.fanout"].published_in == 0


@pytest.mark.parametrize(
    "body", [{"routing_key": 5}, {"headers": "x"}, {"properties": "x"}, {"headers": {"CC": "no list"}}]
)
async def test_what_no_message_can_be_is_refused(client: httpx.AsyncClient, body: dict[str, Any]) -> None:
    answer = await client.post("/amq/exchanges/%2F/amq.direct/route", json=body)
    assert answer.status_code == 400, answer.text
    assert answer.json()["reason"]


async def test_an_exchange_that_is_not_there_is_not_found(client: httpx.AsyncClient) -> None:
    assert (await client.post("/amq/exchanges/%2F/none/route", json={})).status_code == 404
    assert (await client.get("/amq/exchanges/%2F/none/graph")).status_code == 404


async def test_the_graph_has_everything_that_can_be_reached_once_even_through_a_loop(client: httpx.AsyncClient) -> None:
    await exchange(client, "x", "direct", arguments={"alternate-exchange": "z"})
    await exchange(client, "y", "topic")
    await exchange(client, "z", "fanout")
    await bound(client, "x", "y", "k", to="e")
    await bound(client, "y", "x", "k", to="e")
    await bound(client, "y", "q", "k")
    answer = (await client.get("/amq/exchanges/%2F/x/graph")).json()
    assert [one["name"] for one in answer["exchanges"]] == ["x", "y", "z"]
    assert [(one["source"], one["destination"], one["kind"]) for one in answer["bindings"]] == [
        ("x", "y", "binding"),
        ("x", "z", "alternate"),
        ("y", "x", "binding"),
        ("y", "q", "binding"),
    ]
    cut = (await client.get("/amq/exchanges/%2F/x/graph?most=1")).json()
    assert (len(cut["bindings"]), cut["left_out"]) == (1, 3)


WORDS = st.lists(st.sampled_from(["a", "b", "", "#", "*"]), max_size=5).map(".".join)
KEYS = st.lists(st.sampled_from(["a", "b", ""]), max_size=5).map(".".join)


@given(patterns=st.lists(WORDS, min_size=1, max_size=6), key=KEYS)
@settings(max_examples=60, deadline=None)
def test_the_reading_of_patterns_agrees_with_the_topic_exchange(patterns: list[str], key: str) -> None:

    exchange = Topic(b"t", True, False, False, {})
    destinations = {pattern: Destination(pattern.encode()) for pattern in patterns}
    for pattern, destination in destinations.items():
        exchange.bind(Binding(exchange, destination, pattern.encode(), {}))
    found: list[Destination] = []
    message = Message(address(b"t", key.encode()), BARE, b"", props.read(BARE))
    exchange.route(key.encode(), message, found)
    words = key.encode().split(b".") if key else []
    for pattern, destination in destinations.items():
        spans = matched(pattern_words(pattern.encode()), words)
        assert (spans is not None) == (destination in found)


SCALARS = st.sampled_from([("S", b"a"), ("l", 1), ("t", True), ("d", 1.0)])
TABLES = st.dictionaries(st.sampled_from(["h", "i", "x-j"]), SCALARS | st.just(("V", None)), max_size=3)


@given(
    asked=st.lists(st.tuples(st.sampled_from([b"all", b"any", b"all-with-x", b"any-with-x"]), TABLES), max_size=5),
    sent=st.dictionaries(st.sampled_from(["h", "i", "x-j"]), SCALARS, max_size=3),
)
@settings(max_examples=60, deadline=None)
def test_the_reasons_for_headers_agree_with_the_headers_exchange(
    asked: list[tuple[bytes, dict[str, Any]]], sent: dict[str, Any]
) -> None:

    exchange = Headers(b"h", True, False, False, {})
    bindings = []
    for number, (match, table) in enumerate(asked):
        destination = Destination(b"%d" % number)
        bindings.append(Binding(exchange, destination, b"", {"x-match": ("S", match), **table}))
        exchange.bind(bindings[-1])
    header = props.rewrite(BARE, {props.HEADERS: tables.encode(sent)})
    message = Message(address(b"h", b""), header, b"", props.read(header))
    found: list[Destination] = []
    exchange.route(b"", message, found)
    for binding in bindings:
        assert reason(exchange, binding, [b""], message).takes == (binding.destination in found)
