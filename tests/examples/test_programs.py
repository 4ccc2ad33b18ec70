"""Every example program runs against a broker process, ends by itself, and prints what it says it would."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import amqp
import httpx
import pytest

from tests.harness.process import BrokerProcess

EXAMPLES = Path(__file__).parents[2] / "examples"
PROGRAMS = ["publish_subscribe", "replay", "routing", "rpc", "simple", "topics", "work_queue"]
# These speak HTTP alone.
ADMINISTRATION = ["administer", "policies"]
SECONDS = 60


def api(broker: BrokerProcess) -> str:
    """The HTTP URL of the broker, for guest."""
    return f"http://guest:guest@{broker.host}:{broker.http_port}"


def run(name: str, broker: BrokerProcess) -> list[str]:
    """The lines that a program prints; it must end well and complain of nothing."""
    urls = [api(broker)] if name in ADMINISTRATION else [broker.url, api(broker)]
    ended = subprocess.run(
        [sys.executable, str(EXAMPLES / f"{name}.py"), *urls], capture_output=True, text=True, timeout=SECONDS
    )
    assert (ended.returncode, ended.stderr) == (0, ""), ended.stdout + ended.stderr
    return ended.stdout.splitlines()


def test_every_program_is_run_here() -> None:
    assert sorted(path.stem for path in EXAMPLES.glob("*.py")) == sorted([*PROGRAMS, *ADMINISTRATION])


def test_simple_sends_and_receives(broker: BrokerProcess) -> None:
    assert run("simple", broker) == ["sent: Hello, World!", "received: Hello, World!"]


def test_the_work_queue_loses_no_task_to_the_careless_worker(broker: BrokerProcess) -> None:
    published, breakdown, *work = run("work_queue", broker)
    assert published == "published 6 tasks"
    assert breakdown == "careless worker breaks down over task 1"
    did = sorted(re.sub("^(first|second) worker did ", "", line) for line in work)
    assert did == ["task 1 (again)", "task 2", "task 3", "task 4", "task 5", "task 6"]


def test_every_subscriber_reads_all_news_in_order(broker: BrokerProcess) -> None:
    assert run("publish_subscribe", broker) == [
        "Ann reads: rain",
        "Ann reads: sun",
        "Ben reads: rain",
        "Ben reads: sun",
    ]


def test_routing_takes_errors_alone_to_who_is_on_call(broker: BrokerProcess) -> None:
    assert run("routing", broker) == [
        "screen: [info] started",
        "screen: [warning] disk nearly full",
        "screen: [error] disk full",
        "screen: [info] stopped",
        "on call: [error] disk full",
    ]


def test_topics_reach_the_patterns_that_match(broker: BrokerProcess) -> None:
    assert run("topics", broker) == [
        "cellar.#: cellar.north.temperature=11, cellar.south.humidity=80",
        "#.temperature: cellar.north.temperature=11, roof.temperature=38",
        "*.temperature: roof.temperature=38",
        "#: cellar.north.temperature=11, cellar.south.humidity=80, roof.temperature=38",
    ]


def test_rpc_answers_who_asked(broker: BrokerProcess) -> None:
    assert run("rpc", broker) == ["3 -> 9", "12 -> 144", "stop -> stopped"]


def test_administering_makes_what_an_application_needs(broker: BrokerProcess) -> None:
    assert run("administer", broker) == [
        "signed in as guest",
        "routed: True",
        "shop.orders.new: at most 10000 messages",
        "deleted if empty: 400 queue 'shop.orders.new' in vhost 'example-shop' not empty",
    ]


def test_policies_count_for_what_waits_already(broker: BrokerProcess) -> None:
    assert run("policies", broker) == [
        "would be the policy of: mail.out",
        "mail.out: 10 messages, policy mails",
        "mail.over: 2 messages, policy none",
    ]


def test_replaying_sends_back_what_is_worth_another_try(broker: BrokerProcess) -> None:
    assert run("replay", broker) == [
        'dead: {"order": 1} (rejected in example-orders)',
        "dead: ???? (rejected in example-orders)",
        'dead: {"order": 2} (rejected in example-orders)',
        "would go back: 2",
        "went back: 2",
        "example-orders: 2",
        "example-orders.dead: 1",
    ]


@pytest.mark.parametrize("name", ADMINISTRATION)
def test_administration_leaves_no_vhost_and_no_user_behind(name: str, broker: BrokerProcess) -> None:
    run(name, broker)
    with httpx.Client(base_url=f"{api(broker)}/api/") as asked:
        assert [vhost["name"] for vhost in asked.get("vhosts").json()] == ["/"]
        assert [user["name"] for user in asked.get("users").json()] == ["guest"]


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_leaves_nothing_behind(name: str, broker: BrokerProcess) -> None:
    run(name, broker)
    with amqp.Connection(f"{broker.host}:{broker.port}", heartbeat=0, connect_timeout=10) as connection:
        for kind, entity in declared_by(name):
            channel = connection.channel()
            declare = getattr(channel, f"{kind}_declare")
            with pytest.raises(amqp.NotFound):
                declare(entity, passive=True) if kind == "queue" else declare(entity, "direct", passive=True)


def declared_by(name: str) -> list[tuple[str, str]]:
    """The queues and exchanges that a program names."""
    text = (EXAMPLES / f"{name}.py").read_text()
    found = re.findall(r'^(QUEUE|DEAD|EXCHANGE) = "(.+)"$', text, re.MULTILINE)
    assert found, f"{name} declares nothing"
    return [("exchange" if kind == "EXCHANGE" else "queue", entity) for kind, entity in found]
