"""Log lines as operators know them."""

from __future__ import annotations

import logging

import pytest

from amq.server import logs


def record(level: int, text: str) -> logging.LogRecord:
    made = logging.LogRecord("amq", level, "file.py", 1, text, None, None)
    made.created = 1_700_000_000.25
    return made


def test_a_line_looks_as_rabbitmq_writes_it() -> None:
    line = logs.Lines().format(record(logging.INFO, "accepting AMQP connection"))
    assert line == "2023-11-14 22:13:20.250000+00:00 [info] accepting AMQP connection"


@pytest.mark.parametrize("name", [name for name in logs.LEVELS if name != "none"])
def test_every_level_has_rabbitmqs_name(name: str) -> None:
    assert f" [{name}] " in logs.Lines().format(record(logs.LEVELS[name], "text"))


def test_further_lines_of_a_text_are_indented() -> None:
    assert logs.Lines().format(record(logging.ERROR, "first\nsecond")).endswith("[error] first\n    second")


def test_what_the_core_noted_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="amq")
    entries = [(logging.INFO, "one is 100% done"), (logging.WARNING, "two")]
    logs.publish(entries)
    assert entries == []
    assert [(line.levelname, line.getMessage()) for line in caplog.records] == [
        ("INFO", "one is 100% done"),
        ("WARNING", "two"),
    ]
