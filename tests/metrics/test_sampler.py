"""The rounds that a sampler makes."""

from amq.metrics import columns, stats
from tests.harness.dialogue import publish
from tests.metrics.build import watched


async def test_a_rate_is_what_a_count_grew_by_in_the_last_round() -> None:
    seen = await watched()
    seen.client.send(publish(1, "q", b"four") * 10)
    assert stats.rate_details(seen.sampler, seen.queue, "publish") == {"rate": 0.0}
    await seen.after(5)
    assert stats.rate_details(seen.sampler, seen.queue, "publish") == {"rate": 2.0}
    assert stats.rate_details(seen.sampler, seen.queue, "messages_ready") == {"rate": 2.0}
    await seen.after(5)
    assert stats.rate_details(seen.sampler, seen.queue, "publish") == {"rate": 0.0}


async def test_what_was_there_before_the_first_round_has_not_moved() -> None:
    seen = await watched()
    seen.client.send(publish(1, "q", b"x") * 7)
    seen.sampler.rounds = 0
    seen.sampler.histories.clear()
    await seen.after(5)
    assert stats.rate_details(seen.sampler, seen.queue, "messages") == {"rate": 0.0}
    assert stats.queue_totals(seen.sampler)["messages"] == 7


async def test_idle_objects_take_no_memory() -> None:
    seen = await watched()
    for number in range(100):
        seen.client.declare(1, f"idle-{number}")
    await seen.after(5)
    assert not [entity for entity in seen.sampler.histories if entity in seen.broker.vhosts["/"].queues.values()]
    seen.client.publish(1, "q", b"x")
    await seen.after(5)
    before = len(seen.sampler.histories[seen.queue].levels[0])
    for _ in range(10):
        await seen.after(5)
    assert len(seen.sampler.histories[seen.queue].levels[0]) == before


async def test_objects_that_are_gone_are_forgotten() -> None:
    seen = await watched()
    seen.client.publish(1, "q", b"x")
    seen.client.consume(1, "q")
    await seen.after(5)
    queue, channel, connection = seen.queue, seen.client.connection.channels[1], seen.client.connection
    assert {queue, channel, connection} <= seen.sampler.histories.keys()
    seen.client.connection.lost(0.0)
    seen.broker.delete_vhost("/")
    await seen.after(5)
    assert not {queue, channel, connection} & seen.sampler.histories.keys()
    assert set(seen.sampler.histories) == {seen.broker, seen.broker.churn}
    assert seen.sampler.totals.messages_ready == 0


async def test_the_totals_of_a_vhost_outlive_its_queues_and_channels() -> None:
    seen = await watched()
    seen.client.send(publish(1, "q", b"x") * 4 + publish(1, "nowhere", b"x"))
    seen.client.consume(1, "q", no_ack=True)
    await seen.after(5)
    vhost = seen.broker.vhosts["/"]
    before = stats.message_stats(seen.sampler, vhost)
    assert (before["publish"], before["deliver_no_ack"], before["drop_unroutable"]) == (5, 4, 1)
    seen.client.inbox.clear()
    seen.client.say(1, "queue.delete", queue="q")
    seen.client.say(1, "channel.close", reply_code=200, reply_text="", class_id=0, method_id=0)
    await seen.after(5)
    await seen.after(5)
    assert stats.message_stats(seen.sampler, vhost) == {
        name: {"rate": 0.0} if name.endswith("_details") else value for name, value in before.items()
    }


async def test_the_totals_of_everything_outlive_a_vhost() -> None:
    seen = await watched()
    seen.client.send(publish(1, "q", b"x") * 4)
    await seen.after(5)
    octets = columns.VHOST.names.index("recv_oct")
    received = seen.sampler.overview_row()[octets]
    assert received > 0
    seen.broker.delete_vhost("/")
    await seen.after(5)
    assert stats.message_stats(seen.sampler, None)["publish"] == 4
    assert stats.queue_totals(seen.sampler)["messages"] == 0
    assert seen.sampler.overview_row()[octets] >= received


async def test_a_round_says_how_many_there_are() -> None:
    seen = await watched()
    seen.client.consume(1, "q")
    seen.client.send(publish(1, "q", b"x") * 3)
    await seen.after(5)
    totals = seen.sampler.totals
    assert (totals.connections, totals.channels, totals.consumers) == (1, 1, 1)
    assert (totals.messages_ready, totals.messages_unacknowledged) == (0, 3)


async def test_unacknowledged_octets_are_those_of_the_bodies_that_are_out() -> None:
    seen = await watched()
    seen.client.consume(1, "q")
    seen.client.send(publish(1, "q", b"abc") + publish(1, "q", b"12345"))
    assert seen.sampler.unacked_octets(seen.queue) == 0
    await seen.after(5)
    assert seen.sampler.unacked_octets(seen.queue) == 8


async def test_capacity_falls_while_consumers_cannot_keep_up() -> None:
    seen = await watched()
    assert seen.sampler.capacity(seen.queue) == 0.0
    seen.client.say(1, "basic.qos", prefetch_count=1)
    seen.client.hears(1, "basic.qos-ok")
    seen.client.consume(1, "q")
    assert seen.sampler.capacity(seen.queue) == 1.0
    await seen.after(5)
    assert seen.sampler.capacity(seen.queue) == 1.0
    seen.client.send(publish(1, "q", b"x") * 5)
    await seen.after(5)
    assert 0.5 < seen.sampler.capacity(seen.queue) < 1.0
    for _ in range(30):
        await seen.after(5)
    assert seen.sampler.capacity(seen.queue) < 0.01


async def test_what_stands_still_keeps_its_totals() -> None:
    seen = await watched()
    seen.client.consume(1, "q")
    seen.client.send(publish(1, "q", b"abc") * 2)
    await seen.after(5)
    first = (seen.sampler.totals, seen.sampler.overview_row(), seen.sampler.unacked_octets(seen.queue))
    assert first[0].publishers == 1
    for _ in range(3):
        await seen.after(5)
        assert (seen.sampler.totals, seen.sampler.overview_row(), seen.sampler.unacked_octets(seen.queue)) == first
    seen.client.inbox.clear()
    seen.client.say(1, "basic.ack", delivery_tag=1)
    await seen.after(5)
    assert seen.sampler.totals.messages_unacknowledged == 1
    assert seen.sampler.unacked_octets(seen.queue) == 3


async def test_histories_of_what_stands_still_shrink_all_the_same() -> None:
    seen = await watched()
    connection = seen.client.connection
    for _ in range(50):
        seen.client.publish(1, "q", b"x")
        await seen.after(5)
    histories = [seen.sampler.histories[each] for each in (connection, connection.channels[1], seen.queue)]
    assert all(len(history.levels[0]) > 10 * len(history.last) for history in histories)
    await seen.after(700)
    assert all(len(history.levels[0]) == len(history.last) + 1 for history in histories)


async def test_after_a_reset_there_are_no_samples_and_totals_are_what_they_were() -> None:
    seen = await watched()
    seen.client.send(publish(1, "q", b"x") * 10)
    await seen.after(5)
    vhost = seen.broker.vhosts["/"]
    before = stats.message_stats(seen.sampler, vhost)
    octets = stats.octets(seen.sampler, vhost)["recv_oct"]
    seen.sampler.reset()
    assert stats.rate_details(seen.sampler, seen.queue, "publish") == {"rate": 0.0}
    await seen.after(5)
    assert stats.message_stats(seen.sampler, vhost)["publish"] == before["publish"]
    assert stats.octets(seen.sampler, vhost)["recv_oct"] == octets
    seen.client.publish(1, "q", b"x")
    await seen.after(5)
    assert stats.rate_details(seen.sampler, seen.queue, "publish") == {"rate": 0.2}
