"""`amq publish`, `consume`, `get`, `browse`, `purge`, `move`, `replay-dlq`, `trace` with a real broker."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from amq.cli.main import main
from tests.harness.process import BrokerProcess

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.broker_at_hand import Amq

V = ("-p", "t")
SECONDS = 20


@pytest.fixture
def jobs(amq: Amq) -> Amq:
    """With queue `jobs`, whose dead letters go to `dead`."""
    amq.done("add", "queue", "jobs", "-a", "x-dead-letter-exchange=", "-a", "x-dead-letter-routing-key=dead", *V)
    amq.done("add", "queue", "dead", *V)
    return amq


def browsed(amq: Amq, queue: str, *more: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in amq.done("browse", queue, "-f", "json", *more, *V).lines()]


def bodies(amq: Amq, queue: str, *more: str) -> list[str]:
    return [message["payload"] for message in browsed(amq, queue, *more)]


def lengths(amq: Amq) -> dict[str, int]:
    rows = amq.done("list", "queues", "-f", "json", *V).json()
    return {row["name"]: row["messages"] for row in rows}


def test_a_message_is_published_with_properties_and_headers(jobs: Amq) -> None:
    said = jobs.done(
        *("publish", "", "jobs", "hello", "-H", "n=5", "-H", "s=text", "--message-id", "m"),
        *("--content-type", "text/plain", "--priority", "3", "-P", "app_id=me", "--transient", *V),
    )
    assert said.out == "1 message published\n"
    (message,) = browsed(jobs, "jobs")
    assert message["payload"] == "hello"
    assert message["properties"] == {
        "headers": {"n": 5, "s": "text"},
        "message_id": "m",
        "content_type": "text/plain",
        "priority": 3,
        "app_id": "me",
        "delivery_mode": 1,
    }


@pytest.mark.parametrize("over", [(), ("--amqp", "auto")])
def test_a_message_that_no_queue_takes_is_an_error(jobs: Amq, over: tuple[str, ...]) -> None:
    line = jobs.refused(65, "publish", "", "none", "x", *over, *V)
    assert line.endswith("in vhost 't': no queue takes it, 1 of 1 dropped")
    assert jobs.done("publish", "", "none", "x", "--allow-unroutable", *over, *V).out == "0 messages published\n"


@pytest.mark.parametrize("over", [(), ("--amqp", "auto")])
def test_bodies_come_from_stdin_and_files_whole_or_by_lines(jobs: Amq, over: tuple[str, ...]) -> None:
    octets = bytes(range(256)) * 1000
    assert jobs.process("publish", "", "jobs", *over, *V, stdin=octets).returncode == 0
    assert jobs.process("publish", "", "jobs", "--lines", *over, *V, stdin=b"one\ntwo\r\n").returncode == 0
    source = jobs.folder.parent / "body"
    source.write_bytes(b"three\nfour")
    jobs.done("publish", "", "jobs", "--file", str(source), *over, *V)
    jobs.done("publish", "", "jobs", "--file", str(source), "--lines", "--repeat", "2", *over, *V)
    got = jobs.process("get", "jobs", "--ack", "ack", "-f", "body", *V)
    assert got.stdout == octets + b"\n"
    assert bodies(jobs, "jobs") == ["one", "two", "three\nfour", "three", "four", "three", "four"]


def test_publishing_keeps_a_rate(jobs: Amq) -> None:
    began = time.monotonic()
    jobs.done("publish", "", "jobs", "x", "--repeat", "6", "--rate", "10", *V)
    assert time.monotonic() - began >= 0.5
    assert lengths(jobs)["jobs"] == 6


def test_many_messages_are_published_over_amqp_and_confirmed(jobs: Amq) -> None:
    address = f"amqp://guest:guest@127.0.0.1:{jobs.broker.port}/t"
    assert (
        jobs.done("publish", "", "jobs", "x", "--repeat", "3000", "--amqp", address).out == "3000 messages published\n"
    )
    assert lengths(jobs)["jobs"] == 3000


def test_publishing_over_amqp_tells_why_it_may_not(jobs: Amq) -> None:
    port = jobs.broker.port
    wrong = f"amqp://guest:wrong@127.0.0.1:{port}/t"
    line = jobs.refused(77, "publish", "", "jobs", "x", "--amqp", wrong)
    assert "ACCESS_REFUSED" in line
    assert "--amqp amqp://USER:PASSWORD@" in line
    assert "NOT_FOUND - no exchange 'none'" in jobs.refused(65, "publish", "none", "k", "x", "--amqp", "auto", *V)


@pytest.mark.parametrize("over", [(), ("--amqp", "auto")])
def test_publishing_refuses_what_no_message_can_be(jobs: Amq, over: tuple[str, ...]) -> None:
    assert "priority must be 0 to 255, not 999" in jobs.refused(
        65, "publish", "", "jobs", "x", "--priority", "999", *over, *V
    )
    assert jobs.refused(65, "publish", "", "k" * 300, "x", *over, *V)
    ended = jobs.process("publish", "", "jobs", "x", "--message-id", "\udcff", *over, *V)
    assert (ended.returncode, ended.stderr.count(b"\n")) in {(0, 0), (65, 1)}, ended.stderr


def test_publishing_tells_what_the_broker_is_short_of(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "amq.conf").write_text("vm_memory_high_watermark.absolute = 1\n")
    broker = BrokerProcess(tmp_path, options=("--config", "amq.conf"), data=tmp_path / "data", management=True)
    broker.start()
    try:
        assert broker.http_port
        where = ("--data", str(tmp_path / "data"), "--timeout", "2")
        assert main(["add", "queue", "jobs", *where]) == 0
        assert main(["publish", "", "jobs", "x", "--amqp", "auto", *where]) == 69
        assert "takes no messages now: low on memory" in capsys.readouterr().err
    finally:
        broker.kill()


def test_what_a_broker_offers_is_taken(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "amq.conf").write_text("channel_max = 1\nframe_max = 4096\n")
    broker = BrokerProcess(tmp_path, options=("--config", "amq.conf"), data=tmp_path / "data", management=True)
    broker.start()
    try:
        where = ("--data", str(tmp_path / "data"))
        assert main(["add", "queue", "jobs", *where]) == 0
        assert main(["publish", "", "jobs", "x" * 10000, "--amqp", "auto", *where]) == 0
        capsys.readouterr()
        assert main(["consume", "jobs", "-n", "1", "-f", "body", *where]) == 0
        assert capsys.readouterr().out.rstrip("\n") == "x" * 10000
    finally:
        broker.kill()


def test_consuming_acknowledges_what_was_written(jobs: Amq) -> None:
    for number in range(5):
        jobs.done("publish", "", "jobs", f"body {number}", *V)
    said = jobs.done("consume", "jobs", "-n", "2", "-f", "json", *V)
    assert [json.loads(line)["payload"] for line in said.lines()] == ["body 0", "body 1"]
    assert lengths(jobs)["jobs"] == 3
    assert jobs.done("consume", "jobs", "--idle", "0.3", "--ack", "requeue", "-f", "body", *V).lines() == [
        "body 2",
        "body 3",
        "body 4",
    ]
    assert lengths(jobs)["jobs"] == 3
    jobs.done("consume", "jobs", "-n", "1", "--ack", "reject", *V)
    assert lengths(jobs) == {"jobs": 2, "dead": 1}
    jobs.done("consume", "jobs", "--idle", "0.3", "--ack", "no-ack", *V)
    assert lengths(jobs)["jobs"] == 0


def test_consuming_refuses_what_would_lose_or_hold_messages(jobs: Amq) -> None:
    assert "would be lost" in jobs.refused(64, "consume", "jobs", "-n", "1", "--ack", "no-ack", *V)
    assert "held forever" in jobs.refused(64, "consume", "jobs", "--ack", "requeue", *V)
    assert "no queue 'none'" in jobs.refused(65, "consume", "none", *V)


def test_a_consumer_follows_until_it_is_interrupted_and_loses_nothing(jobs: Amq) -> None:
    command = [sys.executable, "-m", "amq", "consume", "jobs", "-f", "body", *V]
    with subprocess.Popen(command, env=jobs.environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for number in range(3):
            jobs.done("publish", "", "jobs", f"late {number}", *V)
            assert process.stdout.readline() == f"late {number}\n"
        process.send_signal(2)
        assert process.wait(SECONDS) == 130
    assert lengths(jobs)["jobs"] == 0


def test_a_consumer_ends_when_its_queue_goes(jobs: Amq) -> None:
    command = [sys.executable, "-m", "amq", "consume", "jobs", "-f", "body", *V]
    with subprocess.Popen(
        command, env=jobs.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        jobs.done("publish", "", "jobs", "x", *V)
        assert process.stdout.readline() == "x\n"
        jobs.done("delete", "queue", "jobs", *V)
        assert process.wait(SECONDS) == 69
        assert process.stderr.read() == "amq: the broker has cancelled the consumer: its queue is gone\n"


def test_getting_puts_messages_back_unless_told_otherwise(jobs: Amq) -> None:
    for body in "ab":
        jobs.done("publish", "", "jobs", body, *V)
    assert jobs.done("get", "jobs", "-f", "body", *V).out == "a\n"
    assert jobs.done("get", "jobs", "-n", "5", "--ack", "ack", "-f", "body", *V).out == "a\nb\n"
    assert "is empty" in jobs.done("get", "jobs", *V).out
    assert jobs.refused(65, "get", "none", *V)


def test_browsing_touches_nothing_and_finds_by_selector(jobs: Amq) -> None:
    for number in range(300):
        if number % 100 == 0:
            jobs.done("publish", "", "jobs", f"body {number}", "-H", f"n={number}", "--message-id", f"m{number}", *V)
    jobs.done("publish", "", "jobs", "x", "--repeat", "250", "--amqp", "auto", *V)
    assert bodies(jobs, "jobs", "-s", "headers.n >= 100") == ["body 100", "body 200"]
    assert bodies(jobs, "jobs", "-m", "m100") == ["body 100"]
    assert len(bodies(jobs, "jobs")) == 50
    assert len(bodies(jobs, "jobs", "-n", "1000")) == 253
    assert bodies(jobs, "jobs", "--truncate", "4", "-n", "1") == ["body"]
    assert not any(message["redelivered"] for message in browsed(jobs, "jobs", "-n", "1000"))
    assert "selector, line 1, column" in jobs.refused(65, "browse", "jobs", "-s", "headers.n >=", *V)
    assert "no such message" in jobs.done("browse", "dead", *V).out


def test_a_body_cannot_colour_a_terminal(jobs: Amq) -> None:
    jobs.done("publish", "", "jobs", "red \x1b[31m\x07 end", "-H", "h\x1b=\x1b", *V)
    text = jobs.done("browse", "jobs", *V).out
    assert r"red \x1b[31m\x07 end" in text
    assert "\x1b" not in text


def test_purging_empties_a_queue(jobs: Amq) -> None:
    jobs.done("publish", "", "jobs", "x", "--repeat", "3", *V)
    jobs.done("purge", "jobs", *V)
    assert lengths(jobs)["jobs"] == 0
    assert jobs.refused(65, "purge", "none", *V)


def test_messages_are_deleted_by_a_selector(jobs: Amq) -> None:
    for number in range(4):
        jobs.done("publish", "", "jobs", f"{number}", "-H", f"n={number}", *V)
    selected = ("-s", "headers.n < 3")
    assert jobs.done("delete", "messages", "jobs", *selected, "--dry-run", *V).out == "3 messages would be deleted\n"
    assert jobs.done("delete", "messages", "jobs", *selected, *V).out == "3 messages deleted\n"
    assert bodies(jobs, "jobs") == ["3"]
    assert "amq purge drops all" in jobs.refused(64, "delete", "messages", "jobs", *V)


def test_the_way_of_a_message_is_told_without_publishing_it(jobs: Amq) -> None:
    jobs.done("add", "binding", "amq.topic", "jobs", "-k", "order.*", *V)
    lines = jobs.done("route", "amq.topic", "order.1", *V).lines()
    assert lines[1].startswith("amq.topic\tqueue\tjobs\tbinding\t")
    assert lines[-1] == "it would go to 'jobs'"
    assert jobs.done("route", "amq.topic", "other", *V).lines()[-1] == "no queue would take it"
    assert jobs.done("route", "", "jobs", "-f", "json", *V).json()["queues"] == ["jobs"]
    assert lengths(jobs)["jobs"] == 0


def test_messages_are_moved_to_queues_and_exchanges(jobs: Amq) -> None:
    for number in range(4):
        jobs.done("publish", "", "jobs", f"{number}", "-H", f"n={number}", *V)
    selected = ("-s", "headers.n < 2")
    told = jobs.done("move", "jobs", "--to-queue", "dead", *selected, "--dry-run", *V).lines()
    assert told[0] == "2 messages would be moved, 0 left"
    assert lengths(jobs) == {"jobs": 4, "dead": 0}
    report = jobs.done("move", "jobs", "--to-queue", "dead", *selected, "-f", "json", *V).json()
    assert (report["moved"], report["dry_run"], report["problems"]) == (2, False, [])
    assert bodies(jobs, "dead") == ["0", "1"]
    jobs.done("add", "binding", "amq.direct", "dead", "-k", "k", *V)
    jobs.done("move", "jobs", "--to-exchange", "amq.direct", "-k", "k", "-n", "1", *V)
    assert bodies(jobs, "dead") == ["0", "1", "2"]
    said = jobs("move", "jobs", "--to-exchange", "amq.fanout", *V)
    assert (said.status, said.lines()[0]) == (65, "0 messages moved, 1 left")
    assert "one of --to-queue and --to-exchange" in jobs.refused(64, "move", "jobs", *V)
    assert "--routing-key: with --to-exchange only" in jobs.refused(
        64, "move", "jobs", "--to-queue", "dead", "-k", "x", *V
    )


def test_a_queue_is_not_moved_into_itself(jobs: Amq) -> None:
    jobs.done("publish", "", "jobs", "x", "--repeat", "3", *V)
    said = jobs("move", "jobs", "--to-queue", "jobs", *V)
    assert (said.status, said.lines()[0]) == (65, "0 messages moved, 3 left")
    assert lengths(jobs)["jobs"] == 3


def test_dead_letters_go_back_after_a_dry_run(jobs: Amq) -> None:
    jobs.done("publish", "", "jobs", "x", "--repeat", "3", *V)
    jobs.done("consume", "jobs", "-n", "3", "--ack", "reject", *V)
    jobs.done("publish", "", "dead", "never died", *V)
    assert lengths(jobs) == {"jobs": 0, "dead": 4}
    said = jobs("replay-dlq", "dead", *V)
    assert said.lines()[0] == "3 messages would be moved, 1 left"
    assert said.lines()[-1] == "Nothing was changed. With --yes it is done."
    assert lengths(jobs)["dead"] == 4
    report = jobs("replay-dlq", "dead", "--yes", "-f", "json", "--history", "strip", *V)
    assert (report.status, report.json()["moved"], report.json()["left"]) == (65, 3, 1)
    assert lengths(jobs) == {"jobs": 3, "dead": 1}
    assert "headers" not in browsed(jobs, "jobs")[0]["properties"]


def test_a_trace_tells_what_happens_to_a_message(jobs: Amq) -> None:
    command = [sys.executable, "-m", "amq", "trace", "m1", "-n", "2", "-f", "json", *V]
    with subprocess.Popen(command, env=jobs.environment, stdout=subprocess.PIPE, text=True) as process:
        for _ in range(100):
            jobs.done("publish", "", "jobs", "other", "--message-id", "m2", *V)
            jobs.done("publish", "", "jobs", "traced", "--message-id", "m1", *V)
            if process.poll() is not None:
                break
            time.sleep(0.1)
        assert process.stdout is not None
        told = [json.loads(line) for line in process.stdout]
        assert process.wait(SECONDS) == 0
    assert [event["properties"]["message_id"] for event in told] == ["m1", "m1"]
    assert (told[0]["event"], told[0]["queues"], told[0]["payload"]) == ("published", ["jobs"], "traced")


def test_a_trace_of_a_routing_key_is_told_in_lines(jobs: Amq) -> None:
    jobs.done("add", "binding", "amq.topic", "jobs", "-k", "#", *V)
    command = [sys.executable, "-m", "amq", "trace", "-k", "order.*", "-n", "1", *V]
    with subprocess.Popen(command, env=jobs.environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "following vhost 't'; Ctrl-C ends it\n"
        jobs.done("publish", "amq.topic", "other", "x", *V)
        jobs.done("publish", "amq.topic", "order.\x1b1", "x", *V)
        line = process.stdout.readline()
        assert process.wait(SECONDS) == 0
    assert r" published | exchange 'amq.topic' | key 'order.\x1b1' | queues 'jobs' | " in line
