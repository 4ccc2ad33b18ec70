"""The options of `amq perf`: PerfTest's names, the load that they mean, and what is refused. No broker is there."""

from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from amq.cli import perf
from amq.cli.exits import CommandError
from amq.cli.main import main
from amq.cli.perf_options import load_of
from amq.perf.load import Load, LoadError, Phase
from tests.harness.process import free_port


def asked(*arguments: str) -> Load:
    """The load that a command line means."""
    context = perf.command.make_context("perf", list(arguments))
    return load_of(context.params)


def test_without_options_one_publishes_and_one_consumes() -> None:
    assert asked() == Load()


def test_the_options_of_perftest_mean_the_same() -> None:
    load = asked(
        *[
            "-x",
            "2",
            "-y",
            "3",
            "-X",
            "4",
            "-Y",
            "5",
            "-u",
            "q",
            "-e",
            "x",
            "-t",
            "topic",
            "-k",
            "key",
            "-s",
            "100",
            "-r",
            "50",
            "-R",
            "60",
            "-c",
            "7",
            "-q",
            "8",
            "-Q",
            "9",
            "-A",
            "6",
            "-m",
            "0",
            "-n",
            "2",
        ],
        *[
            "-C",
            "10",
            "-D",
            "11",
            "-z",
            "12",
            "-i",
            "2",
            "-b",
            "5",
            "-M",
            "8192",
            "-L",
            "100",
            "-d",
            "name",
            "-f",
            "persistent",
            "-f",
            "mandatory",
            "-S",
        ],
    )
    assert load == Load(
        producers=2,
        consumers=3,
        producer_channels=4,
        consumer_channels=5,
        queues=("q",),
        exchange="x",
        exchange_type="topic",
        routing_key="key",
        size=100,
        rate=50,
        consumer_rate=60,
        confirm=7,
        prefetch=8,
        global_prefetch=9,
        multi_ack_every=6,
        consumer_tx=2,
        producer_messages=10,
        consumer_messages=11,
        seconds=12,
        interval=2,
        heartbeat=5,
        frame_max=8192,
        consumer_latency_us=100,
        id="name",
        persistent=True,
        mandatory=True,
        durable=True,
        slow_start=True,
    )


@pytest.mark.parametrize("arguments", [("--vr", "200:60", "--vr", "0:10"), ("--variable-rate", "200:60,0:10")])
def test_phases_are_given_one_by_one_or_together(arguments: tuple[str, ...]) -> None:
    assert asked(*arguments).rates == (Phase(200, 60), Phase(0, 10))


def test_what_perftest_spells_in_two_letters_is_understood() -> None:
    short = (
        "-vr 10:5 -vs 100:5 -vl 7:5 -qa x-max-length=5 -ca x-priority=1 -mp priority=5 -ct 3 -prsd 2 -ad false -re true"
    )
    long = (
        "--variable-rate 10:5 --variable-size 100:5 --variable-latency 7:5 --queue-args x-max-length=5 --consumer-args "
        "x-priority=1 --message-properties priority=5 --confirm-timeout 3 --producer-random-start-delay 2 "
        "--no-auto-delete"
    )
    assert asked(*short.split()) == asked(*long.split()) != Load()
    assert asked("-qp", "q-%d", "-qpf", "2", "-qpt", "3").queues == ("q-2", "q-3")
    assert asked("--auto-delete", "false", "--nack", "--requeue", "false") == asked(
        "--no-auto-delete", "-na", "--no-requeue"
    )
    assert asked("-qq", "--auto-delete", "-x", "2").queue_arguments == {"x-queue-type": "quorum"}


@pytest.mark.parametrize("arguments", [("-udsc",), ("-dcr",), ("-um",), ("-env", "x"), ("-ad",), ("-ad", "-x", "1")])
def test_what_perftest_alone_has_is_not_taken_for_something_else(arguments: tuple[str, ...]) -> None:
    with pytest.raises(click.UsageError):
        asked(*arguments)


def test_sizes_and_latencies_vary_too() -> None:
    load = asked("--vs", "1000:30,10:2", "--vl", "50:1")
    assert (load.sizes, load.consumer_latencies_us) == ((Phase(1000, 30), Phase(10, 2)), (Phase(50, 1),))


def test_a_pattern_makes_many_queues() -> None:
    load = asked("--queue-pattern", "q-%03d", "--queue-pattern-from", "9", "--queue-pattern-to", "11")
    assert load.queues == ("q-009", "q-010", "q-011")


def test_arguments_and_properties_are_typed() -> None:
    load = asked("--queue-args", 'x-max-length=10,x-overflow=drop-head,x=["a","b"]')
    assert load.queue_arguments == {"x-max-length": 10, "x-overflow": "drop-head", "x": ["a", "b"]}


def test_a_property_that_there_is_not_is_a_header() -> None:
    load = asked("--message-properties", "priority=5,app_id=7,colour=red", "-T", "text/plain")
    assert load.message_properties == {
        "priority": 5,
        "app_id": "7",
        "content_type": "text/plain",
        "headers": {"colour": "red"},
    }


def test_several_brokers_take_turns() -> None:
    hosts = [each.host for each in asked("-H", "amqp://a,amqp://b", "--uri", "amqps://c").addresses]
    assert hosts == ["a", "b", "c"]


@pytest.mark.parametrize(("option", "kind"), [("--quorum-queue", "quorum"), ("--stream-queue", "stream")])
def test_kinds_of_queues(option: str, kind: str) -> None:
    load = asked(option, "-q", "10", "-u", "q")
    assert load.queue_arguments == {"x-queue-type": kind}
    assert (load.durable, load.auto_delete) == (True, False)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("--vr", "fast"), "--variable-rate fast: VALUE:SECONDS"),
        (("--queue-pattern", "q", "--queue-pattern-to", "3"), "--queue-pattern: needs a %d"),
        (("--queue-pattern", "%d", "--queue-pattern-to", "0"), "0 queues, 1 to 1000000 are allowed"),
        (("-P", "0"), "--publishing-interval 0: more than 0"),
        (("-P", "1", "-r", "1"), "--publishing-interval: not allowed with --rate"),
        (("--queue-args", "novalue"), "--queue-args novalue: NAME=VALUE"),
        (("--queue-args", "x=null"), "--queue-args: null_not_allowed"),
        (
            ("--consumer-args", "x=99999999999999999999"),
            "--consumer-args: 99999999999999999999 does not fit into 64 bits",
        ),
        (("--message-properties", "priority=high"), "--message-properties: not_int: priority"),
        (("--message-properties", "priority=300"), "--message-properties: priority must be 0 to 255"),
        (("--message-properties", "x=null"), "--message-properties: null_not_allowed"),
        (("-T", "x" * 300), "content_type has 300 octets, 255 are allowed"),
        (("--stream-queue",), "consumers of a stream need --qos"),
        (("--uri", "http://x"), "not amqp://"),
        (("-q", "70000"), "--qos 70000: 0 to 65535"),
    ],
)
def test_nonsense_is_refused(arguments: tuple[str, ...], text: str) -> None:
    with pytest.raises((CommandError, LoadError)) as refused:
        asked(*arguments)
    assert text in str(refused.value)


def test_a_broker_that_is_not_there_is_one_line_and_a_status(capsys: pytest.CaptureFixture[str]) -> None:
    port = free_port()
    assert main(["perf", "--uri", f"amqp://127.0.0.1:{port}"]) == 69
    said = capsys.readouterr().err
    assert said == f"amq: no broker answers at amqp://127.0.0.1:{port}/%2F: Connection refused\n"


def test_a_file_that_cannot_be_written_is_found_before_the_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["perf", "--html", str(tmp_path / "none" / "x.html")]) == 73
    assert "No such file" in capsys.readouterr().err


def test_the_help_names_every_option_once() -> None:
    shown = CliRunner().invoke(perf.command, ["--help"]).output
    assert "--variable-rate" in shown
    names = [name for option in perf.command.params for name in option.opts]
    assert len(names) == len(set(names))
