"""amqp-tools, the command line of rabbitmq-c: every command is a connection of its own.

The commands know neither queue arguments nor confirms nor the mandatory flag; what a test needs of these, an operator
declares beside them.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import amqp
import pytest

from tests.clients.target import Address, Names, await_state, operator
from tests.harness.process import BrokerProcess

COMMANDS = ("amqp-publish", "amqp-consume", "amqp-get", "amqp-declare-queue", "amqp-delete-queue")
PATIENCE = 10.0
EMPTY = 2

missing = [command for command in COMMANDS if shutil.which(command) is None]
pytestmark = pytest.mark.skipif(bool(missing), reason=f"not installed (Debian: amqp-tools): {', '.join(missing)}")


def arguments(address: Address | BrokerProcess, command: str, *rest: str) -> list[str]:
    return [command, "--server", address.host, "--port", str(address.port), *rest]


def run(address: Address | BrokerProcess, command: str, *rest: str, stdin: bytes = b"") -> bytes:
    """Run a command that must succeed; returns what it printed."""
    ended = subprocess.run(arguments(address, command, *rest), input=stdin, capture_output=True, timeout=PATIENCE)
    assert ended.returncode == 0, ended.stderr.decode()
    return ended.stdout


def failure(address: Address | BrokerProcess, command: str, *rest: str) -> str:
    """Run a command that must fail; returns what it complained about."""
    ended = subprocess.run(arguments(address, command, *rest), capture_output=True, text=True, timeout=PATIENCE)
    assert ended.returncode == 1, ended.stdout
    return ended.stderr


@contextmanager
def running(address: Address | BrokerProcess, *rest: str) -> Iterator[subprocess.Popen[str]]:
    """An amqp-consume in the background. It must have been told, by `-c`, when to end."""
    command = arguments(address, "amqp-consume", *rest)
    with subprocess.Popen(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        try:
            yield process
        finally:
            process.kill()


def consuming_queue(process: subprocess.Popen[str], channel: amqp.Channel) -> str:
    """The server-named queue of an amqp-consume that binds one; waits until it consumes."""
    assert process.stderr is not None
    announced = re.fullmatch(r"Server provided queue name: (\S+)\n", process.stderr.readline())
    assert announced is not None
    await_consumers(channel, announced[1], 1)
    return announced[1]


def await_consumers(channel: amqp.Channel, queue: str, count: int) -> None:
    await_state(lambda: channel.queue_declare(queue, passive=True).consumer_count == count)


def test_a_queue_is_declared_filled_read_and_deleted(server: Address, names: Names) -> None:
    queue = names("hello")
    assert run(server, "amqp-declare-queue", "-q", queue).decode() == f"{queue}\n"
    run(server, "amqp-publish", "-r", queue, "-b", "Hello World!")
    assert run(server, "amqp-get", "-q", queue) == b"Hello World!"
    empty = subprocess.run(arguments(server, "amqp-get", "-q", queue), capture_output=True, timeout=PATIENCE)
    assert empty.returncode == EMPTY
    run(server, "amqp-publish", "-r", queue, "-b", "left over")
    assert run(server, "amqp-delete-queue", "-q", queue) == b"1\n"


def test_properties_and_headers_of_a_publish_arrive(server: Address, names: Names) -> None:
    queue = names("properties")
    run(server, "amqp-declare-queue", "-d", "-q", queue)
    properties = ("-p", "-C", "text/plain", "-E", "utf-8", "-t", "answers", "-H", "color: red")
    run(server, "amqp-publish", "-r", queue, "-b", "x", *properties)
    with operator(server) as channel:
        message = channel.basic_get(queue, no_ack=True)
    assert message.properties == {
        "content_type": "text/plain",
        "content_encoding": "utf-8",
        "delivery_mode": 2,
        "reply_to": "answers",
        "application_headers": {"color": "red"},
    }


def test_a_body_of_many_frames_arrives_whole(server: Address, names: Names) -> None:
    queue = names("large")
    body = bytes(range(256)) * 4096
    run(server, "amqp-declare-queue", "-q", queue)
    run(server, "amqp-publish", "-r", queue, stdin=body)
    assert run(server, "amqp-get", "-q", queue) == body


def test_two_workers_share_a_work_queue(server: Address, names: Names) -> None:
    queue = names("tasks")
    lines = "".join(f"task {number}\n" for number in range(10))
    run(server, "amqp-declare-queue", "-d", "-q", queue)
    work = ("-q", queue, "-p", "1", "-c", "5", "cat")
    with running(server, *work) as first, running(server, *work) as second, operator(server) as channel:
        await_consumers(channel, queue, 2)
        run(server, "amqp-publish", "-p", "-l", "-r", queue, stdin=lines.encode())
        done = [worker.communicate(timeout=PATIENCE)[0].splitlines(keepends=True) for worker in (first, second)]
    assert [len(tasks) for tasks in done] == [5, 5]
    assert sorted(done[0] + done[1]) == lines.splitlines(keepends=True)


def test_a_task_whose_command_failed_stays_in_the_queue(server: Address, names: Names) -> None:
    queue = names("tasks")
    run(server, "amqp-declare-queue", "-q", queue)
    run(server, "amqp-publish", "-r", queue, "-b", "task")
    run(server, "amqp-consume", "-q", queue, "-c", "1", "--", "sh", "-c", "cat > /dev/null; false")
    with operator(server) as channel:
        message = channel.basic_get(queue)
        assert (bytes(message.body), message.delivery_info["redelivered"]) == (b"task", True)


def test_every_subscriber_of_a_fanout_exchange_gets_a_copy(server: Address, names: Names) -> None:
    exchange = names("logs")
    subscribe = ("-e", exchange, "-r", "all", "-c", "1", "cat")
    with operator(server) as channel:
        channel.exchange_declare(exchange, "fanout", auto_delete=False)
        with running(server, *subscribe) as first, running(server, *subscribe) as second:
            for subscriber in (first, second):
                consuming_queue(subscriber, channel)
            run(server, "amqp-publish", "-e", exchange, "-b", "news")
            assert [subscriber.communicate(timeout=PATIENCE)[0] for subscriber in (first, second)] == ["news", "news"]


@pytest.mark.parametrize(
    ("kind", "pattern", "expected"),
    [("direct", "error", ["error"]), ("topic", "kern.*", ["kern.critical", "kern.info"])],
    ids=["routing", "topics"],
)
def test_a_binding_chooses_by_routing_key(
    server: Address, names: Names, kind: str, pattern: str, expected: list[str]
) -> None:
    exchange = names(kind)
    count = str(len(expected) + 1)
    with operator(server) as channel:
        channel.exchange_declare(exchange, kind, auto_delete=False)
        with running(server, "-e", exchange, "-r", pattern, "-A", "-c", count, "cat") as subscriber:
            queue = consuming_queue(subscriber, channel)
            for key in ("error", "info", "kern.critical", "cron.critical", "kern.info", "kern"):
                run(server, "amqp-publish", "-e", exchange, "-r", key, "-b", f"{key}\n")
            run(server, "amqp-publish", "-r", queue, "-b", "end\n")
            assert subscriber.communicate(timeout=PATIENCE)[0].split() == [*expected, "end"]


def test_rpc_with_a_shell_as_its_server(server: Address, names: Names) -> None:
    requests, replies = names("requests"), names("replies")
    for queue in (requests, replies):
        run(server, "amqp-declare-queue", "-q", queue)
    publish = " ".join(arguments(server, "amqp-publish", "-r", replies))
    with running(server, "-q", requests, "-c", "2", "--", "sh", "-c", f"tr a-z A-Z | {publish}") as service:
        for word in ("one", "two"):
            run(server, "amqp-publish", "-r", requests, "-t", replies, "-b", word)
        assert service.wait(PATIENCE) == 0
    assert run(server, "amqp-consume", "-q", replies, "-c", "2", "cat") == b"ONETWO"


def test_expired_messages_can_be_consumed_from_the_dead_letter_queue(server: Address, names: Names) -> None:
    graveyard, queue = names("graveyard"), names("work")
    run(server, "amqp-declare-queue", "-q", graveyard)
    limits = {"x-message-ttl": 20, "x-dead-letter-exchange": "", "x-dead-letter-routing-key": graveyard}
    with operator(server) as channel:
        channel.queue_declare(queue, auto_delete=False, arguments=limits)
    run(server, "amqp-publish", "-r", queue, "-b", "too late")
    assert run(server, "amqp-consume", "-q", graveyard, "-c", "1", "cat") == b"too late"


def test_faults_are_reported_with_rabbitmqs_texts(server: Address, names: Names) -> None:
    queue, nowhere = names("faults"), names("nowhere")
    run(server, "amqp-declare-queue", "-q", queue)
    run(server, "amqp-publish", "-r", queue, "-b", "x")
    assert failure(server, "amqp-get", "-q", nowhere) == (
        f"basic.get: server channel error 404, message: NOT_FOUND - no queue '{nowhere}' in vhost '/'\n"
    )
    assert failure(server, "amqp-publish", "-e", nowhere, "-b", "x") == (
        f"closing channel: server channel error 404, message: NOT_FOUND - no exchange '{nowhere}' in vhost '/'\n"
    )
    assert failure(server, "amqp-delete-queue", "-e", "-q", queue) == (
        "queue.delete: server channel error 406, message: "
        f"PRECONDITION_FAILED - queue '{queue}' in vhost '/' not empty\n"
    )
    assert failure(server, "amqp-declare-queue", "-d", "-q", queue) == (
        "queue.declare: server channel error 406, message: PRECONDITION_FAILED - inequivalent arg 'durable' for queue "
        f"'{queue}' in vhost '/': received 'true' but current is 'false'\n"
    )
    assert failure(server, "amqp-get", "--password=wrong", "-q", queue) == (
        "logging in to AMQP server: server connection error 403, message: ACCESS_REFUSED - Login was refused using "
        "authentication mechanism PLAIN. For details see the broker logfile.\n"
    )
    assert failure(server, "amqp-get", "--vhost=none", "-q", queue) == (
        "logging in to AMQP server: server connection error 530, message: NOT_ALLOWED - vhost none not found\n"
    )


def test_a_consumer_ends_with_the_broker_and_a_new_one_works_after_the_restart(broker: BrokerProcess) -> None:
    run(broker, "amqp-declare-queue", "-d", "-q", "lived-through")
    with running(broker, "-q", "lived-through", "-c", "1", "cat") as consumer:
        with operator(Address(broker.host, broker.port)) as channel:
            await_consumers(channel, "lived-through", 1)
        broker.terminate()
        # It takes connection.close for one more frame that is no delivery, and counts it.
        assert consumer.communicate(timeout=PATIENCE)[0] == ""
        assert broker.wait() == 0
    assert "opening socket" in failure(broker, "amqp-publish", "-r", "lived-through", "-b", "x")
    broker.start()
    run(broker, "amqp-declare-queue", "-d", "-q", "lived-through")
    run(broker, "amqp-publish", "-p", "-r", "lived-through", "-b", "after")
    assert run(broker, "amqp-get", "-q", "lived-through") == b"after"
