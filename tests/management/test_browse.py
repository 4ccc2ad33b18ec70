"""A queue's messages over HTTP: listed, searched, shown and deleted, and nothing else happens to them."""

from __future__ import annotations

import base64
from typing import Any

import httpx
import pytest
from starlette.types import ASGIApp

from amq.management.node import Node
from amq.management.scanning import fitting
from amq.queues.looking import look
from amq.queues.stored import StoredQueue
from amq.vhost.permission import Permission
from tests.lang.selectors import death
from tests.management.conftest import client_of
from tests.management.standing import bodies, put, queue, vhost

BASE = "/amq/queues/%2F/q/messages"


async def page(client: httpx.AsyncClient, **query: Any) -> dict[str, Any]:
    answer = await client.get(BASE, params=query)
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert isinstance(found, dict)
    return found


def shown(found: dict[str, Any]) -> list[str]:
    return [each["payload"] for each in found["messages"]]


async def refused(client: httpx.AsyncClient, **query: Any) -> str:
    answer = await client.get(BASE, params=query)
    assert answer.status_code == 400
    assert answer.json()["error"] == "bad_request"
    return str(answer.json()["reason"])


async def test_a_message_is_shown_as_rabbitmq_shows_one_that_was_got(node: Node, client: httpx.AsyncClient) -> None:
    q = queue(node, "q")
    put(node, q, "größe", headers={"x": ("I", 1)}, message_id="m1", priority=3, timestamp=5, content_type="text/plain")
    found = await page(client)
    (only,) = found["messages"]
    fingerprint = only.pop("fingerprint")
    assert len(fingerprint) == 16
    assert only == {
        "position": 0,
        "payload_bytes": 7,
        "redelivered": False,
        "exchange": "",
        "routing_key": "q",
        "properties": {
            "content_type": "text/plain",
            "headers": {"x": 1},
            "priority": 3,
            "message_id": "m1",
            "timestamp": 5,
        },
        "payload": "größe",
        "payload_encoding": "string",
    }
    assert (found["scanned"], found["next"], found["messages_ready"]) == (1, None, 1)


async def test_payloads_are_cut_between_characters_and_are_base64_where_they_are_no_text(
    node: Node, client: httpx.AsyncClient
) -> None:
    q = queue(node, "q")
    put(node, q, "grö")
    put(node, q, b"\xff\x00")
    cut = await page(client, truncate=3)
    assert [(each["payload"], each["payload_encoding"]) for each in cut["messages"]] == [
        ("gr", "string"),
        (base64.b64encode(b"\xff\x00").decode(), "base64"),
    ]
    forced = await page(client, encoding="base64", limit=1)
    assert base64.b64decode(forced["messages"][0]["payload"]) == "grö".encode()
    assert [each["payload_bytes"] for each in cut["messages"]] == [4, 2]


async def test_pages_lead_through_the_whole_queue(node: Node, client: httpx.AsyncClient) -> None:
    q = queue(node, "q")
    for number in range(25):
        put(node, q, f"{number}")
    found: list[str] = []
    at: int | None = -1
    pages = 0
    while at is not None and pages < 10:
        answer = await page(client, limit=10, **{"from": at})
        found += shown(answer)
        at = answer["next"]
        pages += 1
    assert found == [str(number) for number in range(25)]
    assert pages == 3


async def test_a_search_says_how_far_it_came_and_goes_on_from_there(node: Node, client: httpx.AsyncClient) -> None:
    q = queue(node, "q")
    for number in range(30):
        put(node, q, f"{number}", type="rare" if number in (3, 25) else "common")
    first = await page(client, selector="type = 'rare'", scan=20)
    assert (shown(first), first["scanned"]) == (["3"], 20)
    second = await page(client, selector="type = 'rare'", scan=20, **{"from": first["next"]})
    assert (shown(second), second["scanned"], second["next"]) == (["25"], 10, None)


async def test_a_search_by_message_id_alone_and_with_a_selector(node: Node, client: httpx.AsyncClient) -> None:
    q = queue(node, "q")
    for number, kind in enumerate("aab"):
        put(node, q, f"{number}", message_id="it's", type=kind)
    put(node, q, "other", message_id="x")
    assert shown(await page(client, message_id="it's")) == ["0", "1", "2"]
    assert shown(await page(client, message_id="it's", selector="type = 'a' AND body = '1'")) == ["1"]


async def test_what_is_searched_by_headers_deaths_and_bodies(node: Node, client: httpx.AsyncClient) -> None:
    q = queue(node, "q")
    put(node, q, '{"order": {"id": 7}}', headers={"x-y": ("S", b"z")})
    put(node, q, "plain", headers={"x-death": ("A", [death("work", "expired", 2)])})
    assert len(shown(await page(client, selector="body.json.order.id = 7 AND headers['x-y'] = 'z'"))) == 1
    assert shown(await page(client, selector="x_death.queue = 'work' AND x_death.count > 1")) == ["plain"]
    assert shown(await page(client, selector="routing_key = 'q' AND body LIKE 'pl%'")) == ["plain"]


async def test_the_priority_of_messages_is_the_order_of_the_list(node: Node, client: httpx.AsyncClient) -> None:
    q = queue(node, "q", {"x-max-priority": ("I", 5)})
    for number, priority in enumerate([0, 5, 1, 5, 0, 9]):
        put(node, q, f"{number}", priority=priority)
    found: list[str] = []
    at: int | None = -1
    for _ in range(10):
        answer = await page(client, limit=1, **{"from": at})
        found += shown(answer)
        at = answer["next"]
        if at is None:
            break
        place = f"{BASE}/{answer['messages'][0]['position']}"
        assert (await client.get(place)).json() == answer["messages"][0]
    assert found == ["1", "3", "5", "2", "0", "4"] == bodies(q)


async def test_a_single_message_is_shown_whole(node: Node, client: httpx.AsyncClient) -> None:
    q = queue(node, "q")
    put(node, q, "x" * 60_000)
    assert len(shown(await page(client))[0]) == 50_000
    assert len((await client.get(f"{BASE}/0")).json()["payload"]) == 60_000
    assert (await client.get(f"{BASE}/0", params={"truncate": 2})).json()["payload"] == "xx"


async def test_one_answer_holds_no_more_payload_than_a_client_can_stand(node: Node, client: httpx.AsyncClient) -> None:
    q = queue(node, "q")
    for _ in range(4):
        put(node, q, "x" * (3 << 20))
    first = await page(client, truncate=1 << 30)
    assert len(first["messages"]) == 2
    assert len((await page(client, truncate=1 << 30, **{"from": first["next"]}))["messages"]) == 2


@pytest.mark.parametrize("position", ["7", "0"])
async def test_where_no_message_waits_there_is_none(position: str, node: Node, client: httpx.AsyncClient) -> None:
    q = queue(node, "q")
    put(node, q)
    q.get()
    for answer in (await client.get(f"{BASE}/{position}"), await client.delete(f"{BASE}/{position}")):
        assert answer.status_code == 404
        assert answer.json() == {"error": "not_found", "reason": f"no message waits at position {position}"}


async def test_mistakes_are_told(node: Node, client: httpx.AsyncClient) -> None:
    queue(node, "q")
    assert await refused(client, selector="type = ") == (
        "selector, line 1, column 8: the selector ends where there must be "
        "a name, a string in single quotes, a number, TRUE, FALSE, '-' or '('"
    )
    assert "allowed are app_id" in await refused(client, selector=" OR ".join(["colour = 1"] * 20))
    assert await refused(client, limit="many") == "limit must be a whole number from 1 to 1000, not 'many'"
    assert await refused(client, limit=1001) == "limit must be a whole number from 1 to 1000, not '1001'"
    assert await refused(client, scan=0) == "scan must be a whole number from 1 to 50000, not '0'"
    assert await refused(client, truncate=-1) == "truncate must be a whole number from 0 to 1099511627776, not '-1'"
    assert await refused(client, encoding="rot13") == "encoding must be 'auto' or 'base64', not 'rot13'"
    assert await refused(client, **{"from": "9" * 5000}) == (
        "from must be a whole number from -1 to 9223372036854775807, not that"
    )
    answer = await client.get(f"{BASE}/first")
    assert answer.json()["reason"] == "position must be a whole number from 0 to 9223372036854775807, not 'first'"
    assert (await client.get("/amq/queues/%2F/none/messages")).status_code == 404
    assert (await client.get("/amq/queues/none/q/messages")).status_code == 404


async def test_whoever_may_not_read_a_queue_sees_and_deletes_nothing(node: Node, app: ASGIApp) -> None:
    q = queue(node, "q")
    put(node, q, "secret", message_id="m")
    node.broker.users.add("eve", "eve", tags={"management"})
    vhost(node).permissions.set("eve", Permission(".*", ".*", "^other$"))
    async with client_of(app, ("eve", "eve")) as client:
        for answer in (
            await client.get(BASE),
            await client.get(f"{BASE}/0"),
            await client.delete(f"{BASE}/0"),
            await client.delete(BASE, params={"message_id": "m"}),
            await client.get("/amq/queues/%2F/q/unacked"),
        ):
            assert answer.status_code == 401
            assert "secret" not in answer.text
    assert bodies(q) == ["secret"]


async def test_a_connections_own_queue_is_nobody_elses_business(node: Node, client: httpx.AsyncClient) -> None:
    q = queue(node, "q")
    q.owner, q.exclusive = object(), True
    answer = await client.get(BASE)
    assert answer.status_code == 400
    assert answer.json()["reason"].startswith("cannot obtain exclusive access to locked queue 'q' in vhost '/'")


# -- deleting --


async def test_one_message_is_deleted_and_the_others_keep_their_places(node: Node, client: httpx.AsyncClient) -> None:
    q = queue(node, "q")
    for number in range(4):
        put(node, q, f"{number}")
    assert (await client.delete(f"{BASE}/1")).status_code == 204
    assert [(each["position"], each["payload"]) for each in (await page(client))["messages"]] == [
        (0, "0"),
        (2, "2"),
        (3, "3"),
    ]
    assert q.ready_count() == 3
    assert (await client.delete(f"{BASE}/1")).status_code == 404


async def test_a_message_other_than_the_one_that_is_meant_stays(node: Node, client: httpx.AsyncClient) -> None:
    q = queue(node, "q")
    put(node, q, "0", message_id="a")
    put(node, q, "1")
    prints = [each["fingerprint"] for each in (await page(client))["messages"]]
    wrong = [
        ("0", {"message_id": "b"}),
        ("1", {"message_id": "a"}),
        ("0", {"fingerprint": prints[1]}),
        ("0", {"fingerprint": prints[0], "message_id": "b"}),
    ]
    for position, guard in wrong:
        answer = await client.delete(f"{BASE}/{position}", params=guard)
        assert (answer.status_code, answer.json()["error"]) == (409, "conflict")
    assert bodies(q) == ["0", "1"]
    guard = {"fingerprint": prints[0], "message_id": "a"}
    assert (await client.delete(f"{BASE}/0", params=guard)).status_code == 204
    assert bodies(q) == ["1"]


async def test_messages_are_deleted_by_a_selector_after_a_dry_run(node: Node, client: httpx.AsyncClient) -> None:
    q = queue(node, "q")
    for number in range(10):
        put(node, q, f"{number}", priority=number % 2)
    selector = {"selector": "priority = 1"}
    dry = await client.delete(BASE, params={**selector, "dry_run": "true"})
    assert dry.json() == {"dry_run": True, "deleted": 5, "scanned": 10, "next": None}
    assert q.ready_count() == 10
    some = await client.delete(BASE, params={**selector, "limit": 2})
    assert some.json() == {"dry_run": False, "deleted": 2, "scanned": 4, "next": 3}
    rest = await client.delete(BASE, params=selector)
    assert rest.json()["deleted"] == 3
    assert bodies(q) == ["0", "2", "4", "6", "8"]


async def test_deleting_without_a_selector_is_refused(node: Node, client: httpx.AsyncClient) -> None:
    q = queue(node, "q")
    put(node, q)
    answer = await client.delete(BASE)
    assert (answer.status_code, q.ready_count()) == (400, 1)
    assert answer.json()["reason"].startswith("a selector or a message_id is needed")
    assert (await client.delete(BASE, params={"message_id": "x", "dry_run": "maybe"})).status_code == 400


# -- not in memory --


def page_out(node: Node, q: StoredQueue, keep: int) -> None:
    """Have most of a queue on a page, and a flush that reads pages as the shell's loader does."""
    journal = node.broker.journal
    if journal.pages is None:
        journal.pages = []

    def flush() -> None:
        wanted, journal.wanted = journal.wanted, []
        for load in wanted:
            pieces = [] if load.stale() else load.page().pieces
            assert pieces is not None
            node.broker.take_in(load, load.unpack(b"".join(pieces)))

    node.flush = flush
    assert q.page_out(keep, 1 << 30) > 0


async def test_what_is_only_on_disk_is_listed_shown_and_deleted(node: Node, client: httpx.AsyncClient) -> None:
    q = queue(node, "q", durable=False)
    for number in range(5000):
        put(node, q, f"{number}", type="rare" if number % 1000 == 999 else "common")
    page_out(node, q, 10)
    assert look(q, -1, 5000).cold is not None
    found = await page(client, selector="type = 'rare'")
    assert shown(found) == ["999", "1999", "2999", "3999", "4999"]
    assert (found["scanned"], found["next"]) == (5000, None)
    assert (await client.get(f"{BASE}/1999")).json()["payload"] == "1999"
    assert (await client.delete(f"{BASE}/1999")).status_code == 204
    assert (await client.delete(BASE, params={"selector": "body = '2999'"})).json()["deleted"] == 1
    assert shown(await page(client, selector="type = 'rare'")) == ["999", "3999", "4999"]
    got = [taken[1].body.decode() for taken in iter(lambda: take(node, q), None)]
    assert got == [str(number) for number in range(5000) if number not in (1999, 2999)]


def take(node: Node, q: StoredQueue) -> Any:
    taken = q.get()
    if taken is None and q.cold_head():
        node.flush()
        taken = q.get()
    return taken


def test_slices_grow_while_they_are_short_and_shrink_when_they_take_long() -> None:
    assert fitting(16, 0.0001) == 32
    assert fitting(16, 0.0007) == 16
    assert fitting(16, 0.005) == 8
    assert fitting(1, 1.0) == 1
    assert fitting(512, 0.0) == 512
