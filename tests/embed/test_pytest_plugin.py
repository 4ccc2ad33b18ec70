"""The fixtures as a stranger's test suite meets them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from amq.embed import ThreadedBroker

if TYPE_CHECKING:
    from tests.embed.conftest import Connect


@pytest.mark.parametrize("turn", [1, 2])
def test_every_test_has_a_vhost_of_its_own(amq_broker: ThreadedBroker, turn: int, connect: Connect) -> None:
    connection = connect(amq_broker)
    channel = connection.channel()
    assert channel.queue_declare("q", durable=True).method.message_count == 0
    channel.basic_publish("", "q", b"left behind")
    connection.close()


@pytest.mark.parametrize("name", ["a/b", "[x]", "100%"])
def test_names_that_urls_do_not_like_are_no_trouble(amq_broker: ThreadedBroker, name: str, connect: Connect) -> None:
    assert name in amq_broker.vhost
    connect(amq_broker).close()


@pytest.mark.parametrize("name", ["a" * 300, "é" * 150, "-" + "日" * 100], ids=["one", "two", "three octets"])
def test_names_of_tests_may_be_longer_than_those_of_vhosts(tmp_path: Path, name: str) -> None:
    suite = f"""
import pika, pytest

seen = set()

@pytest.mark.parametrize("name", [{name!r}], ids=[{name!r}])
@pytest.mark.parametrize("turn", [1, 2])
def test_connects(amq_broker, turn, name):
    seen.add(amq_broker.vhost)
    assert len(seen) == turn
    assert amq_broker.vhost.endswith(f" #{{turn}}")
    assert 250 < len(amq_broker.vhost.encode()) <= 255
    pika.BlockingConnection(pika.URLParameters(amq_broker.url)).close()
"""
    options = ("-o", "disable_test_id_escaping_and_forfeit_all_rights_to_community_support=true")
    assert "2 passed" in run_suite(tmp_path, suite, *options)


def test_no_lever_stays_pulled_and_no_connection_stays_open(tmp_path: Path) -> None:
    suite = """
import pika, pytest

left_open = []

def connect(broker):
    return pika.BlockingConnection(pika.URLParameters(broker.url))

def test_pulls_levers(amq_broker):
    left_open.append(connect(amq_broker))
    amq_broker.block_publishers()
    amq_broker.refuse_logins()

def test_meets_none(amq_broker):
    with pytest.raises(pika.exceptions.ConnectionClosedByBroker):
        left_open[0].sleep(20)
    connection = connect(amq_broker)
    channel = connection.channel()
    channel.queue_declare("q")
    channel.confirm_delivery()
    channel.basic_publish("", "q", b"")
    connection.close()
"""
    assert "2 passed" in run_suite(tmp_path, suite)


def test_a_restart_that_failed_is_made_up_for_before_the_next_test(tmp_path: Path) -> None:
    suite = """
import pika, pytest, resource
from amq.server.errors import StartError

def test_restarts_without_file_descriptors(amq_broker):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
    try:
        with pytest.raises(StartError):
            amq_broker.restart()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

def test_connects(amq_broker):
    pika.BlockingConnection(pika.URLParameters(amq_broker.url)).close()
"""
    assert "2 passed" in run_suite(tmp_path, suite)


def test_pytest_trio_and_asyncio_tests_can_pull_levers(tmp_path: Path) -> None:
    suite = """
import asyncio, trio, pika

def look(url):
    pika.BlockingConnection(pika.URLParameters(url)).close()

async def test_in_trio(amq_broker):
    await trio.to_thread.run_sync(look, amq_broker.url)
    amq_broker.drop_connections()
    amq_broker.restart()
    await trio.to_thread.run_sync(look, amq_broker.url)

def test_in_asyncio(amq_broker):
    async def main():
        await asyncio.to_thread(look, amq_broker.url)
        amq_broker.drop_connections()
        amq_broker.restart()
        await asyncio.to_thread(look, amq_broker.url)
    asyncio.run(main())
"""
    assert "2 passed" in run_suite(tmp_path, suite, "-o", "trio_mode=true")


def test_the_plugin_costs_nothing_until_it_is_used(tmp_path: Path) -> None:
    suite = """
import sys

def test_nothing_is_loaded():
    assert "amq.pytest_plugin" in sys.modules
    assert not {"trio", "amq.broker", "amq.embed", "pyparsing"} & set(sys.modules)
"""
    others = [word for name in ("trio", "hypothesispytest", "anyio", "schemathesis") for word in ("-p", f"no:{name}")]
    assert "1 passed" in run_suite(tmp_path, suite, *others)


def run_suite(folder: Path, suite: str, *options: str) -> str:
    """What pytest says about a suite in a folder of its own, warnings being errors.

    Without pytest-asyncio, should it be installed: it warns of options that a suite leaves to it.
    """
    (folder / "test_suite.py").write_text(suite)
    (folder / "pytest.ini").write_text("[pytest]\nfilterwarnings = error\n")
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:asyncio", *options],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout
