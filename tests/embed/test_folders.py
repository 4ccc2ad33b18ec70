"""Embedded brokers that keep what is durable in a folder."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pika
import pytest

from amq import embed
from amq.journal.batch import Work
from amq.journal.log import Log
from amq.server.errors import StartError, StorageFailed

if TYPE_CHECKING:
    from tests.embed.conftest import Connect

SECONDS = 30
PERSISTENT = pika.BasicProperties(delivery_mode=2)


def test_without_a_folder_nothing_is_left_behind(
    connect: Connect, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with embed.running() as broker:
        connect(broker).channel().queue_declare("q", durable=True)
        assert broker.journal_statistics is None
    assert list(tmp_path.iterdir()) == []


def test_what_is_durable_is_there_in_the_next_broker_with_the_same_folder(connect: Connect, tmp_path: Path) -> None:
    with embed.running(data=tmp_path / "data") as broker:
        channel = connect(broker).channel()
        channel.confirm_delivery()
        channel.queue_declare("q", durable=True)
        channel.queue_declare("gone")
        channel.basic_publish("", "q", b"kept", PERSISTENT)
        channel.basic_publish("", "q", b"transient")
        assert broker.journal_statistics is not None
        assert broker.journal_statistics.messages == 1
    with embed.running(data=tmp_path / "data") as broker:
        channel = connect(broker).channel()
        method, _, body = channel.basic_get("q", auto_ack=True)
        assert (body, method.redelivered, method.message_count) == (b"kept", False, 0)
        with pytest.raises(pika.exceptions.ChannelClosedByBroker, match="no queue 'gone'"):
            channel.queue_declare("gone", passive=True)


def test_messages_are_not_thrown_away_because_the_definitions_are_missing(connect: Connect, tmp_path: Path) -> None:
    with embed.running(data=tmp_path / "data") as broker:
        channel = connect(broker).channel()
        channel.queue_declare("q", durable=True)
        channel.confirm_delivery()
        channel.basic_publish("", "q", b"kept", PERSISTENT)
    definitions = tmp_path / "data" / "definitions.db"
    definitions.rename(tmp_path / "backup")
    with pytest.raises(StartError, match="defines nothing, but the journal holds messages"):
        embed.running(data=tmp_path / "data").__enter__()
    (tmp_path / "backup").rename(definitions)
    with embed.running(data=tmp_path / "data") as broker:
        assert connect(broker).channel().basic_get("q")[2] == b"kept"


def test_a_restart_brings_back_what_is_on_disk(connect: Connect, tmp_path: Path) -> None:
    with embed.running(data=tmp_path / "data") as broker:
        channel = connect(broker).channel()
        channel.queue_declare("q", durable=True)
        for number in range(3):
            channel.basic_publish("", "q", b"%d" % number, PERSISTENT)
        channel.basic_get("q")
        broker.restart()
        channel = connect(broker).channel()
        got = [channel.basic_get("q", auto_ack=True) for _ in range(3)]
        assert [(body, method.redelivered) for method, _, body in got] == [(b"0", True), (b"1", False), (b"2", False)]


def test_levers_stay_as_they_are_over_a_restart(connect: Connect, tmp_path: Path) -> None:
    with embed.running(data=tmp_path / "data") as broker:
        broker.refuse_logins()
        broker.restart()
        with pytest.raises(pika.exceptions.AMQPError):
            connect(broker)
        broker.accept_logins()
        connect(broker)


def test_two_brokers_cannot_share_a_folder(tmp_path: Path) -> None:
    with embed.running(data=tmp_path / "data"), pytest.raises(StartError, match="data"):
        embed.running(data=tmp_path / "data").__enter__()
    with embed.running(data=tmp_path / "data"):
        pass


def test_a_failing_disk_ends_the_block_with_its_error(
    connect: Connect, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_fd: int) -> None:
        raise OSError(5, "Input/output error")

    with pytest.raises(StorageFailed, match="Input/output error"), embed.running(data=tmp_path / "data") as broker:
        channel = connect(broker).channel()
        channel.confirm_delivery()
        channel.queue_declare("q", durable=True)
        monkeypatch.setattr(os, "fdatasync", fail)
        with pytest.raises(pika.exceptions.AMQPConnectionError):
            channel.basic_publish("", "q", b"never confirmed", PERSISTENT)
    monkeypatch.undo()
    with embed.running(data=tmp_path / "data") as broker:
        # What was never confirmed may be there or not.
        assert connect(broker).channel().queue_declare("q", passive=True).method.message_count in (0, 1)


def test_a_batch_that_cannot_be_placed_ends_the_block_instead_of_being_waited_for(
    connect: Connect, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_log: Log, _work: Work) -> None:
        raise MemoryError

    with pytest.raises(BaseExceptionGroup) as raised, embed.running(data=tmp_path / "data") as broker:
        channel = connect(broker).channel()
        channel.confirm_delivery()
        channel.queue_declare("q", durable=True)
        monkeypatch.setattr(Log, "place", fail)
        with pytest.raises(pika.exceptions.AMQPConnectionError):
            channel.basic_publish("", "q", b"never confirmed", PERSISTENT)
    assert raised.value.subgroup(MemoryError) is not None


def test_the_plugin_takes_a_folder(tmp_path: Path) -> None:
    program = """
import pika

def test_it(amq_broker):
    pika.BlockingConnection(pika.URLParameters(amq_broker.url)).close()
"""
    (tmp_path / "test_it.py").write_text(program)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--amq-data", "data", "test_it.py"]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    assert (tmp_path / "data" / "definitions.db").exists()
