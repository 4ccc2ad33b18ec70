"""Publishing and getting over HTTP, where it is more than what RabbitMQ was asked for."""

import json
import time
from typing import Any

import httpx
import pytest
import trio
import trio.testing

from amq.broker import Broker
from amq.config.settings import Settings
from amq.management import messages
from amq.management.app import application
from tests.harness.dialogue import enter, new_broker, write
from tests.harness.process import BrokerProcess
from tests.management.conftest import client_of, new_node

MESSAGE = {"properties": {}, "routing_key": "q", "payload": "hi", "payload_encoding": "string"}
GETTING = {"count": 1, "ackmode": "ack_requeue_true", "encoding": "auto"}
PUBLISH = "/exchanges/%2F/amq.default/publish"
GET = "/queues/%2F/q/get"


async def declared(client: httpx.AsyncClient, **arguments: Any) -> None:
    """Queue q."""
    answer = await client.put("/queues/%2F/q", json={"durable": True, "arguments": arguments})
    assert answer.status_code == 201


async def published(client: httpx.AsyncClient, *bodies: str, **properties: Any) -> None:
    """Messages in q."""
    for body in bodies:
        answer = await client.post(PUBLISH, json={**MESSAGE, "payload": body, "properties": properties})
        assert answer.json() == {"routed": True}


async def got(client: httpx.AsyncClient, **options: Any) -> list[dict[str, Any]]:
    """Messages from q."""
    answer = await client.post(GET, json={**GETTING, **options})
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()
    return found


async def test_a_publish_is_answered_when_it_is_on_disk() -> None:
    broker = new_broker(keeps=True)
    node = new_node(broker)
    answers: list[int] = []
    async with client_of(application(node)) as client, trio.open_nursery() as nursery:
        enter(broker, channels=[1]).declare(1, "q", durable=True)
        write(broker)

        async def publish() -> None:
            answer = await client.post(PUBLISH, json={**MESSAGE, "properties": {"delivery_mode": 2}})
            answers.append(answer.status_code)

        nursery.start_soon(publish)
        await trio.testing.wait_all_tasks_blocked(0.05)
        assert broker.vhosts["/"].queues[b"q"].ready_count() == 1
        assert answers == []
        write(broker)
    assert answers == [200]


async def test_what_is_got_goes_back_to_its_place_or_not(client: httpx.AsyncClient, broker: Broker) -> None:
    await declared(client)
    await published(client, "a", "b", "c")
    queue = broker.vhosts["/"].queues[b"q"]
    for ackmode, left in (("ack_requeue_true", 3), ("reject_requeue_true", 3), ("ack_requeue_false", 2)):
        assert [each["payload"] for each in await got(client, ackmode=ackmode)] == ["a"]
        assert (queue.ready_count(), queue.unacked) == (left, 0)
    assert [each["payload"] for each in await got(client, ackmode="reject_requeue_false")] == ["b"]
    assert [(each["payload"], each["redelivered"]) for each in await got(client)] == [("c", False)]


async def test_a_rejected_message_is_dead_lettered(client: httpx.AsyncClient, broker: Broker) -> None:
    await declared(client, **{"x-dead-letter-exchange": "", "x-dead-letter-routing-key": "dead"})
    await client.put("/queues/%2F/dead", json={})
    await published(client, "a", "b")
    await got(client, ackmode="reject_requeue_false")
    await got(client, ackmode="ack_requeue_false")
    assert broker.vhosts["/"].queues[b"dead"].ready_count() == 1


async def test_bodies_are_shown_as_text_where_they_are_text(client: httpx.AsyncClient) -> None:
    await declared(client)
    await published(client, "grüße")
    assert (await got(client))[0]["payload"] == "grüße"
    assert (await got(client, encoding="base64"))[0]["payload"] == "Z3LDvMOfZQ=="
    cut = (await got(client, truncate=2))[0]
    assert (cut["payload"], cut["payload_encoding"], cut["payload_bytes"]) == ("gr", "string", 7)


async def test_a_message_that_expires_or_answers_is_checked_as_over_amqp(client: httpx.AsyncClient) -> None:
    for properties, reason in (
        ({"expiration": "soon"}, "invalid expiration 'soon': no_integer"),
        ({"user_id": "bob"}, "user_id property set to 'bob' but authenticated user was 'guest'"),
        ({"reply_to": "amq.rabbitmq.reply-to"}, "fast reply consumer does not exist"),
    ):
        answer = await client.post(PUBLISH, json={**MESSAGE, "properties": properties})
        expected = {"error": "bad_request", "reason": f"406 PRECONDITION_FAILED - {reason}"}
        assert (answer.status_code, answer.json()) == (400, expected)


async def test_a_message_may_be_too_large() -> None:
    broker = Broker(Settings(max_message_size=1000), time.monotonic(), time.time())
    async with client_of(application(new_node(broker))) as client:
        answer = await client.post(PUBLISH, json={**MESSAGE, "payload": "x" * 1001})
    reason = "406 PRECONDITION_FAILED - message size 1001 is larger than configured max size 1000"
    assert (answer.status_code, answer.json()["reason"]) == (400, reason)


async def test_one_refusing_queue_of_several_is_a_refusal(client: httpx.AsyncClient) -> None:
    await client.put("/exchanges/%2F/fan", json={"type": "fanout"})
    full = {"x-max-length": 0, "x-overflow": "reject-publish"}
    for name, arguments in (("full", full), ("free", {})):
        await client.put(f"/queues/%2F/{name}", json={"arguments": arguments})
        await client.post(f"/bindings/%2F/e/fan/q/{name}", json={})
    answer = await client.post("/exchanges/%2F/fan/publish", json=MESSAGE)
    assert answer.status_code == 400
    assert answer.json()["reason"] == "rejected Unable to publish message. Check queue limits."


async def test_consumers_get_what_is_published_over_http(client: httpx.AsyncClient, broker: Broker) -> None:
    await declared(client)
    consumer = enter(broker, channels=[1])
    consumer.consume(1, "q")
    await published(client, "news", message_id="m")
    heard = consumer.hears_delivery(1, b"news")
    assert heard.properties == {"message_id": "m"}


async def test_what_comes_and_goes_over_http_is_counted(client: httpx.AsyncClient, broker: Broker) -> None:
    await declared(client)
    await published(client, "a", "b")
    await client.post(PUBLISH, json={**MESSAGE, "routing_key": "nowhere"})
    await got(client, ackmode="ack_requeue_false", count=2)
    await got(client)
    vhost = broker.vhosts["/"]
    tally = vhost.agenda.tally
    assert (tally.published, tally.returned, tally.got_empty) == (3, 1, 1)
    counted = vhost.queues[b"q"].tally
    assert (counted.published, counted.got_no_ack, counted.got, counted.got_empty) == (2, 2, 0, 1)
    churn = broker.churn
    assert churn.channels_created == churn.channels_closed > 0


async def test_a_user_gets_and_publishes_only_where_it_may_enter(client: httpx.AsyncClient, broker: Broker) -> None:
    await client.put("/users/root", json={"password": "secret", "tags": "administrator"})
    await declared(client)
    for path, body in ((PUBLISH, MESSAGE), (GET, GETTING)):
        answer = await client.post(path, json=body, auth=("root", "secret"))
        assert (answer.status_code, answer.json()["reason"]) == (401, "Access refused.")


@pytest.mark.parametrize("count", [-1, 0])
async def test_nothing_can_be_asked_for(client: httpx.AsyncClient, count: int) -> None:
    await declared(client)
    await published(client, "a")
    assert await got(client, count=count) == []


async def test_more_than_one_answer_holds_is_left_for_the_next(
    client: httpx.AsyncClient, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(messages, "MOST_GOT", 2)
    await declared(client)
    await published(client, "a", "b", "c")
    found = await got(client, count=10**9, ackmode="ack_requeue_false", truncate=0)
    assert [message["message_count"] for message in found] == [2, 1]
    assert broker.vhosts["/"].queues[b"q"].ready_count() == 1


async def test_headers_that_fit_into_no_frame_are_refused_before_they_cost_anything(client: httpx.AsyncClient) -> None:
    many = {str(number): number for number in range(50_000)}
    answer = await client.post(PUBLISH, json={**MESSAGE, "properties": {"headers": many}})
    assert answer.status_code == 400
    assert answer.json()["reason"] == "headers may take up 126976 octets as a field table, and these take up more"


@pytest.mark.parametrize("change", [{"ackmode": "shrug"}, {"ackmode": ["x"]}, {"truncate": -1}, {"encoding": None}])
async def test_what_makes_no_sense_is_refused(client: httpx.AsyncClient, change: dict[str, Any]) -> None:
    await declared(client)
    answer = await client.post(GET, content=json.dumps({**GETTING, **change}))
    assert answer.status_code == 400
    assert answer.json()["error"] == "bad_request"


def test_messages_that_are_on_disk_alone_are_waited_for(kept: BrokerProcess) -> None:
    """After a restart nothing but numbers is in memory."""
    with httpx.Client(base_url=f"http://127.0.0.1:{kept.http_port}/api", auth=("guest", "guest")) as client:
        client.put("/queues/%2F/q", json={"durable": True})
        for number in range(3):
            body = {**MESSAGE, "payload": str(number), "properties": {"delivery_mode": 2}}
            assert client.post(PUBLISH, json=body).json() == {"routed": True}
    kept.restart()
    with httpx.Client(base_url=f"http://127.0.0.1:{kept.http_port}/api", auth=("guest", "guest")) as client:
        found = client.post(GET, json={**GETTING, "count": 5}).json()
        assert [(each["payload"], each["message_count"]) for each in found] == [("0", 2), ("1", 1), ("2", 0)]


@pytest.fixture
def kept(tmp_path: Any) -> Any:
    """A broker process with a data folder."""
    broker = BrokerProcess(tmp_path, data=tmp_path / "data", management=True)
    broker.start()
    yield broker
    broker.kill()
