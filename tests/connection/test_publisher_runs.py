"""However a client's octets are cut into chunks, the same messages arrive: the publisher's fast path and its slow one.

Octet by octet no message is ever whole in a chunk, so everything goes the slow way; whole, most goes the fast one.
"""

from itertools import accumulate, pairwise
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amq.connection.publisher import Publisher
from amq.vhost.permission import Permission
from tests.harness.dialogue import Dialogue, Heard, content, enter, frame, method, new_broker, publish, write
from tests.journal.build import published, settled

QUEUES: dict[str, dict[str, Any]] = {
    "q": {},
    "durable": {},
    "refusing": {"x-max-length": 3, "x-overflow": "reject-publish"},
    "dropping": {"x-max-length-bytes": 300},
    "mortal": {"x-message-ttl": 1000},
    "alternate": {},
}
CHANNELS = (1, 2)


@attrs.frozen
class Sent:
    """One message: its octets, and whether it is returned if its channel still lives."""

    channel: int
    octets: bytes
    returned: bool = False


@attrs.define
class Outcome:
    """What came of a conversation, apart from what depends on how it was cut."""

    queues: dict[str, list[tuple[bytes, bytes, bytes, bool, int]]]
    returns: dict[int, list[tuple[bytes, bytes, dict[str, Any]]]]
    acked: dict[int, set[int]]
    refused: dict[int, set[int]]
    closes: list[Heard]
    consumed: list[tuple[bytes, bytes]]
    # LSN, address, body, and the queues that it is for.
    recorded: list[tuple[int, bytes, bytes, list[bytes]]]
    gone: list[tuple[bytes, int]]


bodies = st.sampled_from([b"", b"a", b"b", b"c" * 70, b"d" * 70, b"e" * 4088, b"f" * 4089, b"g" * 9000])
small_bodies = st.sampled_from([b"", b"a", b"b", b"c" * 70, b"d" * 70])
plain_properties: st.SearchStrategy[dict[str, Any]] = st.sampled_from(
    [{}, {"delivery_mode": 1}, {"delivery_mode": 2}, {"priority": 3, "app_id": "a"}, {"headers": {"k": 1}}]
)
special_properties: st.SearchStrategy[dict[str, Any]] = st.sampled_from(
    [{"expiration": "500"}, {"headers": {"CC": ["q"]}}, {"headers": {"BCC": ["q"]}}, {"user_id": "guest"}]
)
addresses = st.sampled_from(
    [
        ("", "q"),
        ("", "durable"),
        ("", "refusing"),
        ("", "dropping"),
        ("", "mortal"),
        ("", "live"),
        ("", "nowhere"),
        ("amq.fanout", "any"),
        ("amq.topic", "a.b"),
        ("amq.topic", "nobody"),
        ("amq.headers", "any"),
        ("with-alternate", "unbound"),
    ]
)
UNROUTABLE = {("", "nowhere"), ("amq.topic", "nobody")}


@st.composite
def runs(draw: st.DrawFn) -> list[Sent]:
    """A few messages alike but for their bodies, as clients send them."""
    channel = draw(st.sampled_from(CHANNELS))
    exchange, key = draw(addresses)
    mandatory = draw(st.booleans())
    properties = draw(plain_properties)
    body = draw(small_bodies)
    sent = []
    for _ in range(draw(st.integers(1, 8))):
        octets = publish(channel, key, body, exchange=exchange, mandatory=mandatory, **properties)
        sent.append(Sent(channel, octets, mandatory and (exchange, key) in UNROUTABLE))
        # Of the same size, so that the header repeats.
        body = body[::-1] if len(body) < 2 else body.swapcase()
    return sent


@st.composite
def odd_ones(draw: st.DrawFn) -> list[Sent]:
    """A message of any size, in one body frame or two, that the publisher must look at more closely."""
    channel = draw(st.sampled_from(CHANNELS))
    exchange, key = draw(addresses)
    body = draw(bodies)
    properties = draw(special_properties | plain_properties)
    cuts = range(4088, len(body), 4088) if len(body) > 4088 else draw(st.sampled_from([[], [len(body) // 2]]))
    head = method(channel, "basic.publish", exchange=exchange, routing_key=key)
    return [Sent(channel, head + content(channel, body, properties, cuts))]


others = st.sampled_from(
    [
        [Sent(0, frame(8, 0, b""))],
        [Sent(1, method(1, "basic.qos", prefetch_count=1))],
        [Sent(1, method(1, "queue.purge", queue="dropping"))],
    ]
)
faults = st.sampled_from(
    [
        [Sent(1, publish(1, "q", b"x", exchange="missing"))],
        [Sent(2, publish(2, "q", b"x", user_id="somebody"))],
        [Sent(2, publish(2, "q", b"x", expiration="soon"))],
    ]
)
conversations = st.lists(st.one_of(runs(), runs(), runs(), odd_ones(), others), max_size=12)


def participants(confirms: bool) -> tuple[Dialogue, Dialogue]:
    """A publisher on two channels (the first in confirm mode if so asked), and a consumer of queue `live`."""
    broker = new_broker(keeps=True)
    client = enter(broker, channels=CHANNELS, frame_max=4096)
    for name, arguments in QUEUES.items():
        client.declare(1, name, arguments=arguments, durable=name != "q")
    client.declare(1, "live")
    alternate = {"alternate-exchange": "to-alternate"}
    client.say(1, "exchange.declare", exchange="with-alternate", type="direct", arguments=alternate)
    client.say(1, "exchange.declare", exchange="to-alternate", type="fanout")
    client.say(1, "queue.bind", queue="alternate", exchange="to-alternate")
    for name in ("q", "refusing", "live"):
        client.say(1, "queue.bind", queue=name, exchange="amq.fanout", nowait=True)
    client.say(1, "queue.bind", queue="durable", exchange="amq.topic", routing_key="a.*", nowait=True)
    client.say(1, "queue.bind", queue="durable", exchange="amq.headers", nowait=True)
    write(broker)
    client.hear_all()
    if confirms:
        client.select_confirms(1)
    consumer = enter(broker, channels=[1])
    consumer.consume(1, "live", no_ack=True)
    return client, consumer


def outcome(sent: list[Sent], chunks: list[bytes], confirms: bool) -> Outcome:
    """Send the chunks and look at everything that came of them."""
    client, consumer = participants(confirms)
    broker = client.broker
    heard: list[Heard] = []
    for chunk in chunks:
        client.send(chunk)
        heard += client.hear_all()
    names = {queue.id: name for name, queue in broker.vhosts["/"].queues.items() if queue.keeps}
    recorded, gone = [], []
    while not broker.journal.idle():
        # A purge has parked what came after it.
        work = write(broker)
        recorded += [(pair.lsn, pair.address, pair.body, [names[it] for it in pair.queues]) for pair in published(work)]
        gone += [(names[queue], lsn) for queue, lsn in settled(work)]
        heard += client.hear_all()
    returns, acked, refused = said_about(sent, heard)
    return Outcome(
        queues={name: contents(broker.vhosts["/"].queues[name.encode()]) for name in QUEUES},
        returns=returns,
        acked=acked,
        refused=refused,
        closes=[item for item in heard if item.name == "channel.close"],
        consumed=[(item.header, item.body) for item in consumer.hear_all()],
        recorded=recorded,
        gone=sorted(gone),
    )


def contents(queue: Any) -> list[tuple[bytes, bytes, bytes, bool, int]]:
    """What stands in a queue; it is empty afterwards."""
    found = []
    while (taken := queue.get()) is not None:
        message = taken[1]
        properties = message.properties
        found.append((message.address, message.header, message.body, properties.persistent, properties.ttl))
    return found


def said_about(sent: list[Sent], heard: list[Heard]) -> tuple[dict[int, Any], dict[int, set[int]], dict[int, set[int]]]:
    """Returns, and the numbers that were acked and nacked, by channel; checks that returns come before confirms."""
    published = {
        channel: [item for item in sent if item.channel == channel and b"\0\x3c\0\x28" in item.octets]
        for channel in CHANNELS
    }
    to_return = {
        channel: [number for number, item in enumerate(items, 1) if item.returned]
        for channel, items in published.items()
    }
    returns: dict[int, Any] = {channel: [] for channel in CHANNELS}
    acked: dict[int, set[int]] = {channel: set() for channel in CHANNELS}
    refused: dict[int, set[int]] = {channel: set() for channel in CHANNELS}
    for item in heard:
        if item.name == "basic.return":
            returns[item.channel].append((item.header, item.body, item.fields))
        elif item.name in ("basic.ack", "basic.nack"):
            done = acked[item.channel] | refused[item.channel]
            tag = item["delivery_tag"]
            numbers = set(range(1, tag + 1)) - done if item["multiple"] else {tag}
            assert numbers
            assert not numbers & done
            told = to_return[item.channel][: len(returns[item.channel])]
            assert [number for number in to_return[item.channel] if number in numbers and number not in told] == []
            (acked if item.name == "basic.ack" else refused)[item.channel].update(numbers)
    return returns, acked, refused


def cut(data: bytes, at: list[int]) -> list[bytes]:
    """Pieces of data that begin also at these positions."""
    return [data[start:stop] for start, stop in pairwise([0, *sorted(set(at) & set(range(1, len(data)))), len(data)])]


@settings(max_examples=80, deadline=None)
@given(st.data(), conversations, st.none() | faults, st.booleans())
def test_the_same_octets_mean_the_same_however_they_are_cut(
    data: st.DataObject, parts: list[list[Sent]], fault: list[Sent] | None, confirms: bool
) -> None:
    if fault is not None:
        parts.insert(data.draw(st.integers(0, len(parts))), fault)
    sent = [item for part in parts for item in part]
    octets = b"".join([item.octets for item in sent])
    slowly = outcome(sent, [octets[at : at + 1] for at in range(len(octets))], confirms)
    message_ends = list(accumulate([len(item.octets) for item in sent]))
    anywhere = data.draw(st.lists(st.integers(1, max(len(octets) - 1, 1)), max_size=20))
    within = [end - data.draw(st.integers(1, 12)) for end in message_ends]
    for chunks in ([octets], cut(octets, message_ends), cut(octets, anywhere), cut(octets, within)):
        assert outcome(sent, chunks, confirms) == slowly


def slow_messages(client: Dialogue, octets: bytes, monkeypatch: pytest.MonkeyPatch) -> int:
    """How many of the messages did not go the fast way."""
    counted = []
    complete = Publisher.complete

    def counting(publisher: Publisher) -> None:
        counted.append(1)
        complete(publisher)

    monkeypatch.setattr(Publisher, "complete", counting)
    client.send(octets)
    return len(counted)


@pytest.mark.parametrize("body", [b"", b"body"])
def test_only_the_first_of_a_run_goes_the_slow_way(body: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    client, _ = participants(confirms=True)
    assert slow_messages(client, publish(1, "q", body) * 50, monkeypatch) == 1
    client.hears(1, "basic.ack", delivery_tag=50, multiple=True)
    assert len(client.get_all(2, "q")) == 50


def test_runs_go_on_over_a_change_of_body_size_header_or_key(monkeypatch: pytest.MonkeyPatch) -> None:
    client, _ = participants(confirms=False)
    kinds = [publish(1, "q", b"one"), publish(1, "q", b"other"), publish(1, "q", b"one", delivery_mode=2)]
    kinds.append(publish(1, "durable", b"one"))
    # One slow message for each key.
    assert slow_messages(client, b"".join(kinds) * 10, monkeypatch) == 2
    assert len(client.get_all(2, "q")) == 30


def test_a_declaration_ends_what_is_known_of_routes(monkeypatch: pytest.MonkeyPatch) -> None:
    client, _ = participants(confirms=False)
    octets = publish(1, "new", b"lost") * 3 + method(1, "queue.declare", queue="new") + publish(1, "new", b"kept") * 3
    assert slow_messages(client, octets, monkeypatch) == 2
    client.hears(1, "queue.declare-ok", queue="new", message_count=0)
    assert client.get_all(2, "new") == [b"kept"] * 3


def test_a_refused_message_in_a_run_is_nacked_and_the_others_are_acked() -> None:
    client, _ = participants(confirms=True)
    client.send(publish(1, "refusing", b"x") * 5)
    client.hears(1, "basic.ack", delivery_tag=3, multiple=True)
    client.hears(1, "basic.nack", delivery_tag=4, multiple=False)
    client.hears(1, "basic.nack", delivery_tag=5, multiple=False)
    client.hears_nothing()


def test_a_run_that_feeds_a_second_queue_keeps_its_copy_when_the_first_refuses() -> None:
    client, consumer = participants(confirms=True)
    client.send(publish(1, "", b"x", exchange="amq.fanout") * 5)
    assert [heard.name for heard in client.hear_all()] == ["basic.ack", "basic.nack", "basic.nack"]
    assert len(client.get_all(2, "q")) == 5
    assert len(client.get_all(2, "refusing")) == 3
    assert len(consumer.hear_all()) == 5


def test_what_a_user_may_publish_is_looked_at_again_when_permissions_change() -> None:
    client, _ = participants(confirms=False)
    client.send(publish(1, "q", b"may") * 3)
    client.broker.vhosts["/"].permissions.set("guest", Permission(".*", "^$", ".*"))
    client.send(publish(1, "q", b"may not") * 3)
    client.hears_channel_close(1, 403, "write access to exchange 'amq.default' in vhost '/' refused for user 'guest'")
    client.broker.vhosts["/"].permissions.set("guest", Permission(".*", ".*", ".*"))
    assert client.get_all(2, "q") == [b"may"] * 3


def test_a_bad_end_mark_in_a_run_is_found_and_what_came_before_it_arrives() -> None:
    client, _ = participants(confirms=True)
    other = enter(client.broker, channels=[1])
    octets = bytearray(publish(1, "q", b"b") * 4)
    octets[len(octets) // 4 * 3 - 1] = 0
    client.send(bytes(octets))
    client.hears_close(501, 'type 3, all octets = <<"b">>: {invalid_frame_end_marker,0}', by=(0, 0))
    assert other.get_all(1, "q") == [b"b"] * 2
