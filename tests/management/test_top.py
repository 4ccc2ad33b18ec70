"""The most of everything."""

import httpx
import pytest

from amq.broker import Broker
from amq.management.node import Node
from tests.harness.dialogue import Dialogue, enter, publish


@pytest.fixture
def amqp(broker: Broker) -> Dialogue:
    return enter(channels=[1, 2], broker=broker)


def fill(amqp: Dialogue, lengths: dict[str, int], body: bytes = b"x") -> None:
    for name, length in lengths.items():
        amqp.declare(1, name)
        amqp.send(publish(1, name, body) * length)


async def names(client: httpx.AsyncClient, kind: str, query: str = "") -> list[str]:
    answer = await client.get(f"/amq/top/{kind}{query}")
    assert answer.status_code == 200, answer.text
    return [item["name"] for item in answer.json()]


async def test_the_longest_queues_come_first(client: httpx.AsyncClient, amqp: Dialogue) -> None:
    fill(amqp, {"a": 1, "b": 5, "c": 3, "empty": 0})
    assert await names(client, "queues-by-messages") == ["b", "c", "a"]
    assert await names(client, "queues-by-messages", "?limit=2") == ["b", "c"]


async def test_of_equals_the_first_comes_first(client: httpx.AsyncClient, amqp: Dialogue) -> None:
    fill(amqp, dict.fromkeys("abcdef", 2))
    assert await names(client, "queues-by-messages", "?limit=4") == ["a", "b", "c", "d"]


async def test_queues_are_weighed_by_the_octets_of_their_messages(client: httpx.AsyncClient, amqp: Dialogue) -> None:
    fill(amqp, {"many": 10})
    fill(amqp, {"large": 2}, b"x" * 1000)
    assert await names(client, "queues-by-bytes") == ["large", "many"]
    [large, many] = (await client.get("/amq/top/queues-by-memory")).json()
    assert (large["name"], large["message_bytes"], large["messages"]) == ("large", 2000, 2)
    assert many["memory"] > 10 * 100


async def test_the_slowest_consumers_are_those_that_have_held_a_message_longest(
    client: httpx.AsyncClient, amqp: Dialogue, node: Node
) -> None:
    fill(amqp, {"a": 3, "b": 2})
    clock = node.broker.clock
    clock.now -= 100
    amqp.consume(1, "a", "slow")
    clock.now += 60
    amqp.say(2, "basic.get", queue="b")
    [slow, getting] = (await client.get("/amq/top/slow-consumers")).json()
    assert (slow["queue"], slow["consumer_tag"], slow["messages_unacknowledged"]) == ("a", "slow", 3)
    assert 100 <= slow["oldest_delivery_age"] < 110
    assert round(slow["oldest_delivery_age"] - getting["oldest_delivery_age"]) == 60
    assert (getting["queue"], getting["consumer_tag"], getting["messages_unacknowledged"]) == ("b", None, 1)
    assert slow["channel"] == f"{slow['connection']} (1)"
    assert slow["user"] == "guest"


async def test_who_has_acknowledged_everything_is_not_slow(client: httpx.AsyncClient, amqp: Dialogue) -> None:
    fill(amqp, {"a": 3})
    amqp.consume(1, "a", no_ack=True)
    assert (await client.get("/amq/top/slow-consumers")).json() == []


async def test_exchanges_are_told_whose_messages_went_nowhere(client: httpx.AsyncClient, amqp: Dialogue) -> None:
    amqp.send(publish(1, "nowhere", b"x") * 2 + publish(1, "nowhere", b"x", mandatory=True))
    amqp.send(publish(1, "nowhere", b"x", exchange="amq.topic"))
    [default, topic] = (await client.get("/amq/top/unroutable")).json()
    assert default == {
        "vhost": "/",
        "name": "",
        "type": "direct",
        "publish_in": 3,
        "unroutable": 3,
        "unroutable_details": {"rate": 0.0},
        "return_unroutable": 1,
        "drop_unroutable": 2,
    }
    assert (topic["name"], topic["unroutable"]) == ("amq.topic", 1)


@pytest.mark.parametrize("limit", ["0", "501", "x", "-1", "1.5", "", "99999999", "²"])
async def test_a_limit_out_of_range_is_refused(client: httpx.AsyncClient, limit: str) -> None:
    answer = await client.get("/amq/top/unroutable", params={"limit": limit})
    assert answer.status_code == 400
    assert answer.json() == {
        "error": "bad_request",
        "reason": f"limit must be a whole number from 1 to 500, not {limit!r}",
    }


async def test_another_kind_is_told_which_there_are(client: httpx.AsyncClient) -> None:
    answer = await client.get("/amq/top/everything")
    assert answer.status_code == 404
    assert "queues-by-memory, queues-by-bytes" in answer.json()["reason"]
