"""Whole runs against a broker process: what was asked for happens, is counted, and ends."""

from __future__ import annotations

import ssl
import subprocess
import sys
from functools import partial
from typing import TYPE_CHECKING, Any

import attrs
import pika
import pytest
import trio
import trustme

from amq.perf.link import Failure
from amq.perf.load import Load, Phase, address
from amq.perf.publishing import frame
from amq.perf.run import run
from amq.perf.watcher import Watcher
from amq.wire import spec
from tests.harness.process import BrokerProcess, free_port, running_broker

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from amq.perf.result import Interval, Result

SECONDS = 30
PLAIN = ssl.create_default_context()
N = 2000


@attrs.define
class Notebook(Watcher):
    """Remembers what it was told."""

    intervals: list[Interval] = attrs.Factory(list)
    notes_: list[str] = attrs.Factory(list)

    def interval(self, interval: Interval) -> None:
        self.intervals.append(interval)

    def notes(self, text: str) -> None:
        self.notes_.append(text)


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrokerProcess]:
    with running_broker(tmp_path_factory.mktemp("perf")) as broker:
        yield broker


async def ran(broker: BrokerProcess, watcher: Watcher | None = None, **asked: Any) -> Result:
    load = Load(addresses=(address(broker.url),), **asked)
    with trio.fail_after(SECONDS):
        return await run(load, watcher or Watcher(), ssl.create_default_context(), trio.Event())


async def test_all_that_was_published_arrives_and_has_a_latency(broker: BrokerProcess) -> None:
    result = await ran(broker, producer_messages=N, auto_ack=True)
    assert (result.published, result.consumed, result.acked) == (N, N, 0)
    assert result.consumer_latency.count == N
    assert result.confirm_latency.count == result.unexpected == 0
    assert result.consumer_latency.min > 0
    assert not result.errors


async def test_confirms_acknowledgements_and_prefetch_together(broker: BrokerProcess) -> None:
    result = await ran(broker, producer_messages=N, confirm=100, prefetch=50, multi_ack_every=7, persistent=True)
    assert result.published == result.confirmed == result.consumed == result.acked == N
    assert result.confirm_latency.count == N
    assert result.nacked == result.returned == 0


async def test_every_message_is_acknowledged_alone(broker: BrokerProcess) -> None:
    result = await ran(broker, producer_messages=N, prefetch=20)
    assert result.acked == result.consumed == N


async def test_counts_are_those_of_each_channel(broker: BrokerProcess) -> None:
    numbers = {"producers": 2, "producer_channels": 3, "consumers": 2, "consumer_channels": 2}
    result = await ran(broker, producer_messages=100, queues=("shared",), prefetch=10, **numbers)
    assert result.published == result.consumed == 600


async def test_without_a_queue_named_each_consumer_gets_a_copy(broker: BrokerProcess) -> None:
    result = await ran(broker, producer_messages=100, consumers=3, auto_ack=True)
    assert (result.published, result.consumed) == (100, 300)


async def test_queues_take_turns(broker: BrokerProcess) -> None:
    result = await ran(
        broker, producer_messages=100, producers=4, consumers=4, queues=("t1", "t2"), exchange="", auto_ack=True
    )
    assert result.published == result.consumed == 400


@pytest.mark.parametrize("kind", ["fanout", "topic"])
async def test_other_types_of_exchange(broker: BrokerProcess, kind: str) -> None:
    result = await ran(broker, exchange=f"amq.{kind}", exchange_type=kind, producer_messages=100, routing_key="a.b")
    assert result.consumed == 100


async def test_random_routing_keys_reach_a_fanout(broker: BrokerProcess) -> None:
    result = await ran(
        broker, exchange="amq.fanout", exchange_type="fanout", producer_messages=N, random_routing_key=True
    )
    assert result.consumed == N


async def test_bodies_larger_than_a_frame(broker: BrokerProcess) -> None:
    result = await ran(broker, producer_messages=5, size=300_000, confirm=2, frame_max=4096)
    assert result.confirmed == result.consumed == result.consumer_latency.count == 5


async def test_messages_that_no_queue_takes_come_back(broker: BrokerProcess) -> None:
    result = await ran(
        broker, producer_messages=N, consumers=0, queues=("lonely",), random_routing_key=True, mandatory=True
    )
    assert result.returned == N


async def test_messages_that_a_full_queue_refuses_are_nacked(broker: BrokerProcess) -> None:
    full = {"x-max-length": 10, "x-overflow": "reject-publish"}
    result = await ran(broker, producer_messages=100, consumers=0, queues=("full",), confirm=10, queue_arguments=full)
    assert (result.confirmed, result.nacked) == (10, 90)
    assert result.confirm_latency.count == 10


async def test_what_an_earlier_run_left_is_consumed_until_nothing_is_there(broker: BrokerProcess) -> None:
    kept = {"queues": ("kept",), "auto_delete": False}
    await ran(broker, producer_messages=N, consumers=0, confirm=500, **kept)
    result = await ran(broker, producers=0, prefetch=100, exit_when="empty", **kept)
    assert result.consumed == result.acked == result.consumer_latency.count == N


async def test_a_run_ends_when_nothing_comes_any_more(broker: BrokerProcess) -> None:
    result = await ran(broker, rates=(Phase(500, 0.2), Phase(0, 1000)), exit_when="idle", auto_ack=True)
    assert result.published == result.consumed > 50


async def test_consumers_stop_after_what_they_were_asked_for(broker: BrokerProcess) -> None:
    result = await ran(broker, consumer_messages=300, consumers=2, queues=("some",), prefetch=10, confirm=50)
    assert result.consumed == result.acked == 600


async def test_transactions_on_both_sides(broker: BrokerProcess) -> None:
    result = await ran(broker, producer_messages=95, producer_tx=10, consumer_tx=10, queues=("tx",))
    assert result.published == result.consumed == result.acked == 95


async def test_groups_of_acknowledgements_and_transactions_need_not_fit(broker: BrokerProcess) -> None:
    kept = {"queues": ("groups",), "auto_delete": False}
    result = await ran(broker, producer_messages=100, consumer_tx=30, multi_ack_every=7, **kept)
    assert result.consumed == result.acked == 100
    nothing = await ran(broker, producers=0, exit_when="empty", **kept)
    assert nothing.consumed == 0


async def test_refusing_without_requeueing_consumes_too(broker: BrokerProcess) -> None:
    result = await ran(broker, producer_messages=N, nack=True, requeue=False, prefetch=50)
    assert result.consumed == result.acked == N


async def test_requeued_messages_come_again(broker: BrokerProcess) -> None:
    result = await ran(broker, producer_messages=10, nack=True, prefetch=5, consumer_messages=100)
    assert result.consumed == 100


async def test_a_consumer_takes_its_time(broker: BrokerProcess) -> None:
    result = await ran(broker, producer_messages=50, consumer_rate=100, consumer_latency_us=10, prefetch=5)
    assert result.consumed == 50
    assert result.seconds > 0.4


async def test_a_rate_is_kept(broker: BrokerProcess) -> None:
    result = await ran(broker, rate=200, producer_messages=100, auto_ack=True)
    assert result.consumed == 100
    assert result.publishing_seconds > 0.45


@pytest.mark.parametrize("from_schedule", [False, True])
async def test_what_waited_for_a_confirmation_is_late_by_the_schedule_alone(
    broker: BrokerProcess, from_schedule: bool
) -> None:
    """A window of one on a schedule that no broker can keep: a million messages a second."""
    result = await ran(
        broker, rate=1e6, producer_messages=1000, confirm=1, auto_ack=True, latency_from_schedule=from_schedule
    )
    assert result.confirmed == 1000
    # By the schedule all were due in the first thousandth of a second, so that the last were late by nearly the run.
    late = result.confirm_latency.percentile(0.9) / 1e6 > result.publishing_seconds / 2
    assert late == from_schedule


async def test_sizes_change_and_properties_are_sent(broker: BrokerProcess) -> None:
    properties = {"priority": 3, "app_id": "perf", "headers": {"colour": "red"}}
    await ran(
        broker,
        producer_messages=20,
        consumers=0,
        queues=("seen",),
        rate=200,
        sizes=(Phase(100, 0.05), Phase(1000, 0.05)),
        message_properties=properties,
        confirm=5,
    )
    with pika.BlockingConnection(pika.URLParameters(broker.url)) as connection:
        found = [connection.channel().basic_get("seen", auto_ack=True) for _ in range(20)]
    assert {len(body) for _, _, body in found} == {100, 1000}
    assert {(each.priority, each.app_id, str(each.headers)) for _, each, _ in found} == {
        (3, "perf", "{'colour': 'red'}")
    }


async def test_messages_of_others_are_counted_and_not_measured(broker: BrokerProcess) -> None:
    with pika.BlockingConnection(pika.URLParameters(broker.url)) as connection:
        channel = connection.channel()
        channel.queue_declare("strange")
        for text in (b"short", b"a longer text that is no stamp"):
            channel.basic_publish("", "strange", text)
    result = await ran(broker, producers=0, queues=("strange",), auto_delete=False, exit_when="empty", exchange="")
    assert (result.consumed, result.unexpected, result.consumer_latency.count) == (2, 2, 0)


async def test_intervals_add_up_to_the_whole(broker: BrokerProcess) -> None:
    notebook = Notebook()
    result = await ran(broker, notebook, rate=1000, seconds=0.5, interval=0.1, confirm=10, prefetch=10)
    assert len(result.intervals) >= 4
    for name in ("published", "confirmed", "consumed", "acked"):
        assert sum(getattr(each, name) for each in result.intervals) == getattr(result, name) > 0
    assert sum(each.consumer_latency.count for each in result.intervals) == result.consumer_latency.count
    assert result.intervals[-1].at == pytest.approx(result.seconds, abs=0.05)
    assert notebook.intervals[0] == result.intervals[0]


async def test_a_run_can_be_stopped(broker: BrokerProcess) -> None:
    stop = trio.Event()

    class Stopping(Watcher):
        def interval(self, interval: Interval) -> None:
            stop.set()

    with trio.fail_after(SECONDS):
        result = await run(
            Load(addresses=(address(broker.url),), interval=0.05), Stopping(), ssl.create_default_context(), stop
        )
    assert result.published > 0
    assert not result.errors


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        (
            {"queues": ("absent",), "predeclared": True, "exchange": ""},
            "404 NOT_FOUND - no queue 'absent' in vhost '/'",
        ),
        ({"queue_arguments": {"x-max-length": -1}}, "406 PRECONDITION_FAILED"),
        ({"consumer_arguments": {"x-priority": "high"}}, "406 PRECONDITION_FAILED"),
    ],
)
async def test_what_the_broker_refuses_is_told_in_its_words(
    broker: BrokerProcess, asked: dict[str, Any], text: str
) -> None:
    with pytest.raises(Failure) as refused:
        await ran(broker, producer_messages=1, **asked)
    assert text in str(refused.value)


async def test_a_wrong_password_is_refused_and_not_shown(broker: BrokerProcess) -> None:
    load = Load(addresses=(address(broker.url.replace("guest:guest", "guest:secret")),))
    with pytest.raises(Failure) as refused:
        await run(load, Watcher(), ssl.create_default_context(), trio.Event())
    assert refused.value.code == 403
    assert "ACCESS_REFUSED" in str(refused.value)
    assert "secret" not in str(refused.value)


async def test_nobody_listens(tmp_path: Path) -> None:
    load = Load(addresses=(address(f"amqp://127.0.0.1:{free_port()}"),))
    with pytest.raises(Failure, match=r"no broker answers at amqp://127.0.0.1:.*: Connection refused"):
        await run(load, Watcher(), ssl.create_default_context(), trio.Event())


def method(number: int, arguments: bytes = b"", channel: int = 0) -> bytes:
    return frame(spec.FRAME_METHOD, channel, number.to_bytes(4, "big") + arguments)


START = method(spec.CONNECTION_START, b"\0\x09" + bytes(4) + b"\0\0\0\x05PLAIN\0\0\0\x05en_US")


@pytest.mark.parametrize(
    ("octets", "text"),
    [
        (b"SSH-2.0-OpenSSH_9.2\r\n", "sends what is no AMQP 0-9-1: b'SSH-2.0' begins no frame"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "begins no frame"),
        (method(spec.CONNECTION_START), "an argument reaches past the end of the frame"),
        (method(0x00630063), "method 99.99"),
        (START + method(spec.BASIC_ACK), "a confirm of 4 octets"),
        (START + method(spec.BASIC_ACK, bytes(9), channel=7), "channel 7, which is not open"),
        (START + method(spec.BASIC_CANCEL, b"\0\0", channel=7), "channel 7, which is not open"),
    ],
)
async def test_what_is_no_broker_is_told_in_a_sentence(octets: bytes, text: str) -> None:
    async def greet(stream: trio.SocketStream) -> None:
        await stream.receive_some(8)
        await stream.send_all(octets)
        await trio.sleep_forever()

    async with trio.open_nursery() as nursery:
        listeners = await nursery.start(partial(trio.serve_tcp, greet, 0, host="127.0.0.1"))
        port = listeners[0].socket.getsockname()[1]
        with trio.fail_after(SECONDS), pytest.raises(Failure) as refused:
            await run(Load(addresses=(address(f"amqp://127.0.0.1:{port}"),)), Watcher(), PLAIN, trio.Event())
        nursery.cancel_scope.cancel()
    assert text in str(refused.value)


async def test_a_run_can_be_stopped_while_a_broker_says_nothing() -> None:
    stop = trio.Event()

    async def listen(stream: trio.SocketStream) -> None:
        await stream.receive_some(8)
        stop.set()
        await trio.sleep_forever()

    async with trio.open_nursery() as nursery:
        listeners = await nursery.start(partial(trio.serve_tcp, listen, 0, host="127.0.0.1"))
        port = listeners[0].socket.getsockname()[1]
        with pytest.raises(Failure, match="stopped before it began"):
            await run(Load(addresses=(address(f"amqp://127.0.0.1:{port}"),)), Watcher(), PLAIN, stop)
        nursery.cancel_scope.cancel()


async def test_one_of_several_brokers_is_not_there(broker: BrokerProcess) -> None:
    there, absent = address(broker.url), address(f"amqp://127.0.0.1:{free_port()}")
    load = Load(addresses=(there, absent), producers=4, consumers=4, queues=("both",))
    with pytest.raises(Failure, match=f"no broker answers at amqp://127.0.0.1:{absent.port}"):
        await run(load, Watcher(), ssl.create_default_context(), trio.Event())


async def test_a_broker_that_vanishes_ends_the_run_with_an_error(tmp_path: Path) -> None:
    broker = BrokerProcess(tmp_path)
    broker.start()

    class Killing(Watcher):
        def interval(self, interval: Interval) -> None:
            broker.kill()

    result = await ran(broker, Killing(), interval=0.1, rate=100)
    assert result.published > 0
    assert len(result.errors) >= 1
    assert "127.0.0.1" in result.errors[0]


async def test_tls_with_a_certificate_that_is_checked(tmp_path: Path) -> None:
    authority = trustme.CA()
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(tmp_path / "server.pem"))
    port = free_port()
    settings = f"listeners.ssl.1 = 127.0.0.1:{port}\nssl_options.certfile = {tmp_path}/server.pem\n"
    settings += f"ssl_options.keyfile = {tmp_path}/server.pem\n"
    (tmp_path / "rabbitmq.conf").write_text(settings)
    broker = BrokerProcess(tmp_path, options=("--config", str(tmp_path / "rabbitmq.conf")))
    broker.start()
    load = Load(
        addresses=(address(f"amqps://127.0.0.1:{port}"),), producer_messages=N, size=500, confirm=100, prefetch=100
    )
    context = ssl.create_default_context()
    with pytest.raises(Failure, match="certificate verify failed"):
        await run(load, Watcher(), context, trio.Event())
    authority.configure_trust(context)
    with trio.fail_after(SECONDS):
        result = await run(load, Watcher(), context, trio.Event())
    broker.stop()
    assert result.confirmed == result.consumed == N


def test_the_command_writes_json_and_ends_with_a_summary(broker: BrokerProcess, tmp_path: Path) -> None:
    file = tmp_path / "result.json"
    command = [sys.executable, "-m", "amq", "perf", "--uri", broker.url, "-C", "500", "-a", "--id", "mine"]
    done = subprocess.run([*command, "--json", str(file)], capture_output=True, text=True, timeout=SECONDS, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "id: mine, receiving rate avg: " in done.stdout
    assert "(500 messages)" in done.stdout
    assert '"consumed_messages": 500' in file.read_text()


def test_the_command_ends_quietly_when_nobody_reads_it_any_more(broker: BrokerProcess) -> None:
    command = [sys.executable, "-m", "amq", "perf", "--uri", broker.url, "-r", "100", "-i", "0.05", "-z", str(SECONDS)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert (process.wait(SECONDS), process.stderr.read()) == (141, "")


def test_the_command_says_that_it_cannot_write(broker: BrokerProcess) -> None:
    command = [sys.executable, "-m", "amq", "perf", "--uri", broker.url, "-C", "5"]
    with open("/dev/full", "w") as full:  # noqa: PTH123 - a device, no path of ours
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, timeout=SECONDS, check=False)
    assert (done.returncode, done.stderr) == (73, "amq: cannot write: No space left on device\n")
