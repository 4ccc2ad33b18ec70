"""Figures as RabbitMQ shows them."""

import pytest

from amq.metrics import stats
from amq.metrics.ranges import Range, Ranges
from tests.harness.dialogue import enter, publish
from tests.metrics.build import BEGAN, watched

NOTHING = {"rate": 0.0}


async def test_what_never_happened_is_left_out() -> None:
    seen = await watched()
    await seen.after(5)
    vhost = seen.broker.vhosts["/"]
    exchange = vhost.exchanges[b"amq.topic"]
    channel = seen.client.connection.channels[1]
    for entity in (seen.queue, channel, exchange, vhost, None):
        assert stats.message_stats(seen.sampler, entity) == {}


async def test_a_queue_tells_what_came_in_and_when_something_went_out_all_of_that() -> None:
    seen = await watched()
    seen.client.send(publish(1, "q", b"x") * 10)
    await seen.after(5)
    assert stats.message_stats(seen.sampler, seen.queue) == {"publish": 10, "publish_details": {"rate": 2.0}}
    seen.client.say(1, "basic.get", queue="q", no_ack=True)
    shown = stats.message_stats(seen.sampler, seen.queue)
    counts = {name: value for name, value in shown.items() if not name.endswith("_details")}
    assert counts == {
        "publish": 10,
        "get": 0,
        "get_no_ack": 1,
        "deliver": 0,
        "deliver_no_ack": 0,
        "redeliver": 0,
        "ack": 0,
        "deliver_get": 1,
        "get_empty": 0,
    }
    assert {name for name in shown if name.endswith("_details")} == {f"{name}_details" for name in counts}


async def test_acknowledgements_are_what_was_handed_out_and_neither_came_back_nor_is_out() -> None:
    seen = await watched()
    seen.client.send(publish(1, "q", b"x") * 4)
    seen.client.consume(1, "q")
    seen.client.drain()
    seen.client.inbox.clear()
    seen.client.say(1, "basic.ack", delivery_tag=1)
    seen.client.say(1, "basic.reject", delivery_tag=2, requeue=False)
    channel = seen.client.connection.channels[1]
    for entity in (seen.queue, channel):
        shown = stats.message_stats(seen.sampler, entity)
        assert (shown["deliver"], shown["ack"], shown["deliver_get"]) == (4, 1, 4)


async def test_a_channel_tells_of_publishing_as_soon_as_it_publishes() -> None:
    seen = await watched()
    seen.client.publish(1, "nowhere", b"x")
    channel = seen.client.connection.channels[1]
    shown = stats.message_stats(seen.sampler, channel)
    counts = {name: value for name, value in shown.items() if not name.endswith("_details")}
    assert counts == {"publish": 1, "confirm": 0, "return_unroutable": 0, "drop_unroutable": 1}


async def test_an_exchange_tells_how_many_queues_its_messages_reached() -> None:
    seen = await watched()
    seen.client.declare(1, "r")
    for queue in ("q", "r"):
        seen.client.say(1, "queue.bind", queue=queue, exchange="amq.fanout")
    seen.client.inbox.clear()
    seen.client.publish(1, "", b"x", exchange="amq.fanout")
    await seen.after(2)
    fanout = seen.broker.vhosts["/"].exchanges[b"amq.fanout"]
    assert stats.message_stats(seen.sampler, fanout) == {
        "publish_in": 1,
        "publish_in_details": {"rate": 0.5},
        "publish_out": 2,
        "publish_out_details": {"rate": 1.0},
    }


async def test_samples_stand_at_multiples_of_the_increment_with_the_latest_first() -> None:
    seen = await watched()
    for count in (5, 0, 10, 20):
        seen.client.send(publish(1, "q", b"x") * count)
        await seen.after(5)
    ranges = Ranges(lengths=Range(20, 5), msg_rates=Range(10, 5))
    shown = stats.queue_totals(seen.sampler, seen.queue, ranges)
    now = int(BEGAN * 1000) + 20_000
    assert shown["messages_details"] == {
        "rate": 4.0,
        "samples": [
            {"sample": sample, "timestamp": now - 5000 * place} for place, sample in enumerate((35, 15, 5, 5, 0))
        ],
        "avg_rate": 35 / 20,
        "avg": 60 / 5,
    }
    details = stats.message_stats(seen.sampler, seen.queue, ranges)["publish_details"]
    assert [each["sample"] for each in details["samples"]] == [35, 15, 5]
    assert details["avg_rate"] == 3.0


async def test_a_window_that_is_shorter_than_its_increment_has_one_sample() -> None:
    seen = await watched()
    seen.client.publish(1, "q", b"x")
    await seen.after(5)
    details = stats.rate_details(seen.sampler, seen.queue, "messages", Ranges(lengths=Range(1, 5)))
    assert details == {
        "rate": 0.2,
        "samples": [{"sample": 1, "timestamp": int(BEGAN * 1000) + 5000}],
        "avg_rate": 0.0,
        "avg": 1.0,
    }


async def test_what_was_never_sampled_has_samples_of_nothing() -> None:
    seen = await watched()
    details = stats.rate_details(seen.sampler, seen.queue, "publish", Ranges(msg_rates=Range(5, 5)))
    assert [each["sample"] for each in details["samples"]] == [0, 0]
    assert (details["rate"], details["avg"], details["avg_rate"]) == (0.0, 0.0, 0.0)


async def test_several_vhosts_are_added_up_samples_and_all() -> None:
    seen = await watched()
    other = seen.broker.add_vhost("other")
    seen.client.send(publish(1, "q", b"x") * 10)
    await seen.after(5)
    from_vhosts = stats.message_stats(seen.sampler, [seen.broker.vhosts["/"], other])
    assert from_vhosts == stats.message_stats(seen.sampler, None)
    assert from_vhosts["publish_details"] == {"rate": 2.0}
    ranges = Ranges(lengths=Range(5, 5))
    both = stats.queue_totals(seen.sampler, [seen.broker.vhosts["/"], other], ranges)
    assert [each["sample"] for each in both["messages_details"]["samples"]] == [10, 0]
    assert stats.message_stats(seen.sampler, []) == {}
    assert stats.queue_totals(seen.sampler, [])["messages"] == 0


async def test_octets_of_a_connection_have_their_rate_and_stay_with_the_vhost() -> None:
    seen = await watched()
    connection = seen.client.connection
    before = connection.received
    seen.client.publish(1, "q", b"x" * 1000)
    await seen.after(5)
    shown = stats.octets(seen.sampler, connection)
    assert shown["recv_oct"] == connection.received
    assert shown["recv_oct_details"] == {"rate": (connection.received - before) / 5}
    connection.lost(0.0)
    await seen.after(5)
    await seen.after(5)
    vhost = seen.broker.vhosts["/"]
    assert stats.octets(seen.sampler, vhost) == {
        "recv_oct": connection.received,
        "recv_oct_details": NOTHING,
        "send_oct": shown["send_oct"],
        "send_oct_details": NOTHING,
    }


async def test_who_comes_and_goes_is_counted() -> None:
    seen = await watched()
    client = enter(channels=[1, 2], broker=seen.broker)
    client.declare(1, "r")
    client.say(1, "queue.delete", queue="r")
    client.connection.lost(0.0)
    await seen.after(1)
    shown = stats.churn_rates(seen.sampler)
    counts = {name: value for name, value in shown.items() if not name.endswith("_details")}
    assert counts == {
        "connection_created": 2,
        "connection_closed": 1,
        "channel_created": 3,
        "channel_closed": 2,
        "queue_declared": 2,
        "queue_created": 2,
        "queue_deleted": 1,
    }
    assert shown["channel_created_details"] == {"rate": 2.0}


async def test_no_count_of_that_name_is_an_error() -> None:
    seen = await watched()
    with pytest.raises(KeyError):
        stats.rate_details(seen.sampler, seen.queue, "nonsense")
