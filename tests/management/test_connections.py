"""Connections, channels and consumers over HTTP, where it is more than what RabbitMQ was asked for."""

from typing import Any
from urllib.parse import quote

import attrs
import httpx
import pytest
import trio

from amq.broker import Broker
from amq.connection.peer import Peer
from tests.harness.dialogue import LOCAL, Dialogue, enter

CERTIFICATE = {
    "subject": ((("countryName", "DE"),), (("commonName", "client, one"),)),
    "issuer": ((("commonName", "ca"),),),
    "notBefore": "Nov 20 00:00:00 2026 GMT",
    "notAfter": "Nov 20 00:00:00 2027 GMT",
}


def name_of(amqp: Dialogue) -> str:
    """A connection's name as a segment of a path."""
    return quote(str(amqp.connection.peer), safe="")


async def seen(client: httpx.AsyncClient, path: str) -> Any:
    """The JSON of an answer."""
    answer = await client.get(path)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_who_is_still_on_the_way_in_is_not_listed(client: httpx.AsyncClient, broker: Broker) -> None:
    Dialogue(broker, attrs.evolve(LOCAL, port=1)).greet()
    amqp = enter(broker)
    assert [each["name"] for each in await seen(client, "/connections")] == [str(amqp.connection.peer)]


async def test_a_connection_tells_its_state(client: httpx.AsyncClient, broker: Broker) -> None:
    amqp = enter(broker, channels=[1])
    path = f"/connections/{name_of(amqp)}"
    assert (await seen(client, path))["state"] == "running"
    broker.set_alarm("memory", True)
    assert (await seen(client, path))["state"] == "blocking"
    amqp.publish(1, "nowhere")
    assert (await seen(client, path))["state"] == "blocked"
    broker.set_alarm("memory", False)
    assert (await seen(client, path))["state"] == "running"
    amqp.connection.lagging = True
    assert (await seen(client, path))["state"] == "flow"
    assert (await seen(client, f"/channels/{name_of(amqp)}%20(1)"))["state"] == "flow"


async def test_a_client_with_a_certificate_is_known_by_it(client: httpx.AsyncClient, broker: Broker) -> None:
    suite = "ECDHE-RSA-AES256-GCM-SHA384"
    peer: Peer = attrs.evolve(LOCAL, tls=True, certificate=CERTIFICATE, tls_version="TLSv1.2", cipher=suite)
    enter(broker, peer=peer)
    (shown,) = await seen(client, "/connections")
    assert shown["ssl"] is True
    assert (shown["ssl_protocol"], shown["ssl_key_exchange"]) == ("tlsv1.2", "ecdhe_rsa")
    assert (shown["ssl_cipher"], shown["ssl_hash"]) == ("aes_256_gcm", "aead")
    assert shown["peer_cert_subject"] == "CN=client\\, one,C=DE"
    assert shown["peer_cert_issuer"] == "CN=ca"
    assert shown["peer_cert_validity"] == "Nov 20 00:00:00 2026 GMT - Nov 20 00:00:00 2027 GMT"


async def test_a_closed_connection_hears_the_reason(client: httpx.AsyncClient, broker: Broker) -> None:
    amqp = enter(broker)
    answer = await client.delete(f"/connections/{name_of(amqp)}", headers={"X-Reason": "go away"})
    assert answer.status_code == 204
    amqp.hears_close(320, "go away")
    other = enter(broker)
    await client.delete("/connections/username/guest")
    other.hears_close(320, "Closed via management plugin")


async def test_everyone_may_see_and_close_the_own_connections(client: httpx.AsyncClient, broker: Broker) -> None:
    await client.put("/users/u", json={"password": "p", "tags": "management"})
    await client.put("/permissions/%2F/u", json={"configure": "", "write": "", "read": ""})
    theirs = enter(broker)
    own = enter(broker, peer=attrs.evolve(LOCAL, port=7), user="u", password="p", channels=[1])
    auth = ("u", "p")
    names = [each["name"] for each in (await client.get("/connections", auth=auth)).json()]
    assert names == [str(own.connection.peer)]
    assert (await client.get(f"/connections/{name_of(theirs)}", auth=auth)).status_code == 401
    assert (await client.delete(f"/connections/{name_of(theirs)}", auth=auth)).status_code == 401
    assert (await client.delete("/connections/username/guest", auth=auth)).status_code == 401
    assert (await client.get(f"/channels/{name_of(own)}%20(1)", auth=auth)).status_code == 200
    assert (await client.delete(f"/connections/{name_of(own)}", auth=auth)).status_code == 204


async def test_a_monitoring_user_sees_all_and_closes_nothing(client: httpx.AsyncClient, broker: Broker) -> None:
    await client.put("/users/m", json={"password": "p", "tags": "monitoring"})
    theirs = enter(broker, channels=[1])
    auth = ("m", "p")
    assert len((await client.get("/connections", auth=auth)).json()) == 1
    assert len((await client.get("/channels", auth=auth)).json()) == 1
    assert (await client.get("/connections/username/guest", auth=auth)).status_code == 200
    assert (await client.delete(f"/connections/{name_of(theirs)}", auth=auth)).status_code == 401


async def test_a_channel_tells_what_it_is_in_the_middle_of(client: httpx.AsyncClient, broker: Broker) -> None:
    amqp = enter(broker, channels=[1, 2])
    amqp.declare(1, "q")
    amqp.say(1, "tx.select")
    for _ in range(3):
        amqp.publish(1, "q")
    amqp.say(1, "tx.commit")
    amqp.publish(1, "q")
    for tag in (1, 2, 3):
        amqp.say(1, "basic.get", queue="q")
        amqp.say(1, "basic.ack", delivery_tag=tag)
    amqp.say(2, "basic.qos", prefetch_count=5)
    amqp.say(2, "basic.qos", prefetch_count=50, **{"global": True})
    first, second = await seen(client, "/channels")
    assert (first["transactional"], first["messages_uncommitted"], first["acks_uncommitted"]) == (True, 1, 3)
    assert (second["prefetch_count"], second["global_prefetch_count"], second["confirm"]) == (5, 50, False)


async def test_lists_and_pages_of_them_have_one_order(client: httpx.AsyncClient, broker: Broker) -> None:
    for port in (9, 10, 100):
        enter(broker, peer=attrs.evolve(LOCAL, port=port), channels=[1, 2, 10, 11])
    for path in ("/channels", "/connections", "/vhosts/%2F/channels"):
        names = [each["name"] for each in await seen(client, path)]
        assert names == sorted(names)
        assert [each["name"] for each in (await seen(client, f"{path}?page=1"))["items"]] == names


async def test_a_consumer_tells_its_place(client: httpx.AsyncClient, broker: Broker) -> None:
    amqp = enter(broker, channels=[1])
    amqp.declare(1, "q", arguments={"x-single-active-consumer": True})
    amqp.say(1, "basic.qos", prefetch_count=7)
    amqp.hear_all()
    for tag in ("first", "second"):
        amqp.consume(1, "q", tag)
    found = {each["consumer_tag"]: each for each in await seen(client, "/consumers/%2F")}
    assert (found["first"]["activity_status"], found["first"]["active"]) == ("single_active", True)
    assert (found["second"]["activity_status"], found["second"]["active"]) == ("waiting", False)
    assert found["first"]["prefetch_count"] == 7
    assert found["first"]["consumer_timeout"] == broker.settings.consumer_timeout
    details = (await seen(client, "/queues/%2F/q"))["consumer_details"]
    assert details == list(found.values())


async def test_very_many_consumers_are_told_in_slices(client: httpx.AsyncClient, broker: Broker) -> None:
    amqp = enter(broker, channels=[1])
    amqp.declare(1, "q")
    for number in range(4000):
        amqp.consume(1, "q", f"c{number}")
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            await trio.lowlevel.checkpoint()
            turns += 1

    async with trio.open_nursery() as nursery:
        nursery.start_soon(count)
        for path in ("/queues/%2F/q", f"/channels/{name_of(amqp)}%20(1)"):
            before = turns
            shown = await seen(client, path)
            assert [each["consumer_tag"] for each in shown["consumer_details"]] == [f"c{n}" for n in range(4000)]
            assert turns > before + 2
        nursery.cancel_scope.cancel()
    picked = await seen(client, "/queues/%2F/q?columns=name,consumer_details")
    assert list(picked) == ["name", "consumer_details"]
    assert len(picked["consumer_details"]) == 4000


async def test_the_timeout_of_consumers_is_the_lesser_one(client: httpx.AsyncClient, broker: Broker) -> None:
    amqp = enter(broker, channels=[1])
    amqp.declare(1, "q")
    amqp.consume(1, "q")
    await client.put("/policies/%2F/p", json={"pattern": "q", "definition": {"consumer-timeout": 60000}})
    assert [each["consumer_timeout"] for each in await seen(client, "/consumers")] == [60000]


async def test_who_waits_for_answers_consumes_from_no_queue(client: httpx.AsyncClient, broker: Broker) -> None:
    amqp = enter(broker, channels=[1])
    amqp.say(1, "basic.consume", queue="amq.rabbitmq.reply-to", no_ack=True)
    amqp.hears(1, "basic.consume-ok")
    assert await seen(client, "/consumers") == []
    assert [each["consumer_count"] for each in await seen(client, "/channels")] == [0]


@pytest.mark.parametrize("path", ["/channels", "/vhosts/%2F/channels", "/consumers", "/consumers/%2F"])
async def test_there_is_nothing_to_tell_without_figures(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path, params={"disable_stats": "true"})
    reason = "Stats in management UI are disabled on this node"
    assert (answer.status_code, answer.json()) == (400, {"error": "bad_request", "reason": reason})
