"""amqplib on Node.js: the scripts in node/ play the client, the tests look at what they report."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.clients.target import Address, Names
from tests.harness.process import BrokerProcess

SCRIPTS = Path(__file__).parent / "node"
INSTALL_SECONDS = 120
SCRIPT_SECONDS = 30

Play = Callable[[str], Any]


@pytest.fixture(scope="session")
def node_environment() -> Mapping[str, str]:
    """The environment in which `require('amqplib')` works; installed once into the user's cache, not into the tree."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip("Node.js (node and npm) is not installed")
    wanted = (SCRIPTS / "package.json").read_bytes()
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = cache / "amq-tests" / "node" / hashlib.sha256(wanted).hexdigest()[:16]
    modules = folder / "node_modules"
    if not (modules / "amqplib").is_dir():
        install_amqplib(npm, folder, wanted)
    return {**os.environ, "NODE_PATH": str(modules)}


def install_amqplib(npm: str, folder: Path, package_json: bytes) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "package.json").write_bytes(package_json)
    command = [npm, "install", "--no-audit", "--no-fund"]
    try:
        subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=True)
    except subprocess.TimeoutExpired:
        pytest.skip(f"npm install did not end in {INSTALL_SECONDS} s")
    except subprocess.CalledProcessError as failure:
        pytest.skip(f"npm install failed, no registry? {failure.stderr.strip()[-500:]}")


@pytest.fixture
def play(node_environment: Mapping[str, str], server: Address, names: Names) -> Play:
    """Runs a script to its end and returns what it reports. Its names are deleted with this test's."""

    def run(script: str) -> Any:
        command = ["node", str(SCRIPTS / f"{script}.js"), server.url, names.prefix]
        ended = subprocess.run(command, env=node_environment, capture_output=True, text=True, timeout=SCRIPT_SECONDS)
        assert ended.returncode == 0, ended.stderr
        return json.loads(ended.stdout)

    return run


def test_hello_world_keeps_text_and_properties(play: Play, names: Names) -> None:
    names("hello")
    assert play("simple") == {
        "declared": {"messageCount": 0, "consumerCount": 0},
        "text": "Hello World!",
        "properties": {
            "contentType": "text/plain",
            "headers": {"count": 3, "ratio": 0.5, "nested": {"list": [1, "two", True, None]}},
            "messageId": "m1",
            "timestamp": 1767323045,
        },
        "fields": {"exchange": "", "redelivered": False, "isQueue": True},
        "empty": False,
    }


def test_workers_share_a_work_queue_and_a_returned_task_comes_again(play: Play, names: Names) -> None:
    names("tasks")
    done = play("work_queue")
    assert sorted(done["first"] + done["second"]) == list(range(20))
    assert done["first"]
    assert done["second"]


def test_every_subscriber_of_a_fanout_exchange_gets_a_copy(play: Play, names: Names) -> None:
    names("logs")
    assert play("publish_subscribe") == [["news"], ["news"], ["news"]]


def test_direct_and_topic_exchanges_choose_by_routing_key(play: Play, names: Names) -> None:
    names("direct")
    names("topic")
    assert play("routing") == {
        "direct": ["error", "kern.info", "end"],
        "topic": ["kern.critical", "kern.info", "a.b.critical", "end"],
    }


def test_rpc_over_a_reply_queue_and_over_direct_reply_to(play: Play, names: Names) -> None:
    names("requests")
    assert play("rpc") == {
        "ownQueue": {"call 3": 9, "call 4": 16},
        "directReplyTo": {"call 5": 25, "call 6": 36},
    }


def test_confirms_refusals_and_returns(play: Play, names: Names) -> None:
    names("confirmed")
    names("full")
    assert play("confirms") == {
        "failures": 0,
        "confirmed": 100,
        "messageCount": 100,
        "refused": True,
        "events": [{"replyCode": 312, "replyText": "NO_ROUTE", "text": "lost"}, {"confirmed": True}],
    }


def test_dead_letters_tell_their_story(play: Play, names: Names) -> None:
    for purpose in ("dlx", "graveyard", "rejecting", "expiring"):
        names(purpose)
    rejected, expired = play("dead_letter")
    assert rejected["death"].pop("time") == "timestamp"
    assert expired["death"].pop("time") == "timestamp"
    assert rejected == {
        "text": "rejected",
        "key": "dead",
        "death": {"count": 1, "reason": "rejected", "queue": "rejecting"},
    }
    assert expired == {
        "text": "expired",
        "key": "expiring",
        "death": {"count": 1, "reason": "expired", "queue": "expiring"},
    }


def test_a_fault_closes_its_channel_and_a_deleted_queue_cancels_its_consumer(play: Play, names: Names) -> None:
    names("cancelled")
    outcome = play("faults")
    assert outcome["code"] == 404
    assert f"NOT_FOUND - no queue '{names.prefix}.missing' in vhost '/'" in outcome["message"]
    assert outcome["cancelled"] is None


@pytest.mark.parametrize("end", ["stopped", "killed"])
def test_recovery_brings_consumers_back_after_a_restart(
    node_environment: Mapping[str, str], broker: BrokerProcess, end: str
) -> None:
    command = ["node", str(SCRIPTS / "reconnect.js"), broker.url, f"reconnect.{end}"]
    with subprocess.Popen(
        command, env=node_environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as script:
        try:
            assert script.stdout is not None
            assert script.stdout.readline() == "restart\n"
            if end == "stopped":
                assert broker.stop() == 0
            else:
                broker.kill()
            broker.start()
            outcome, errors = script.communicate("done\n", timeout=SCRIPT_SECONDS)
        finally:
            script.kill()
    assert errors == ""
    result = json.loads(outcome)
    assert result["inbox"] == ["before", "after"]
    if end == "stopped":
        assert "CONNECTION_FORCED" in result["reason"]
