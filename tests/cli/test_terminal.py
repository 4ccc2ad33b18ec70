"""The command on a terminal: tables, live views, questions, progress; and nothing of others that a terminal obeys."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.cli.terminal import Terminal

if TYPE_CHECKING:
    from tests.cli.broker_at_hand import Amq

V = ("-p", "t")


def test_a_table_is_drawn_and_a_name_is_not_obeyed(amq: Amq) -> None:
    amq.done("add", "queue", "evil\x1b]0;owned\x07[bold]", *V)
    with Terminal(amq, "list", "queues", *V) as terminal:
        assert terminal.end() == 0
        assert r"evil\x1b]0;owned\x07[bold]" in terminal.shown
        assert "\x1b]0;" not in terminal.shown
        assert "─" in terminal.shown


def test_csv_and_bodies_are_made_harmless_on_a_terminal(amq: Amq) -> None:
    amq.done("add", "queue", "evil\x1b[31m", *V)
    amq.done("publish", "", "evil\x1b[31m", "body\x1b[2J", *V)
    with Terminal(amq, "list", "queues", "-f", "csv", "-c", "name", *V) as terminal:
        assert terminal.end() == 0
        assert terminal.shown.splitlines() == ["name", r"evil\x1b[31m"]
    with Terminal(amq, "get", "-f", "body", *V, "--", "evil\x1b[31m") as terminal:
        assert terminal.end() == 0
        assert terminal.shown.splitlines() == [r"body\x1b[2J"]
    with Terminal(amq, "rabbitmqctl", "-q", "list_queues", "name", *V) as terminal:
        assert terminal.end() == 0
        assert terminal.shown.splitlines() == ["name", r"evil\x1b[31m"]


def test_the_live_view_is_drawn_until_it_is_interrupted(amq: Amq) -> None:
    amq.done("add", "queue", "watched", *V)
    amq.done("publish", "", "watched", "x", "--repeat", "2", *V)
    with Terminal(amq, "top", "--interval", "0.2") as terminal:
        terminal.await_text("watched")
        terminal.await_text("published/s")
        amq.done("add", "queue", "later", *V)
        amq.done("publish", "", "later", "x", "--repeat", "3", *V)
        terminal.await_text("later")
        terminal.interrupt()
        assert terminal.end() == 130
        # The screen of before is back.
        assert "\x1b[?1049l" in terminal.shown


def test_the_live_view_ends_after_so_many_times(amq: Amq) -> None:
    with Terminal(amq, "top", "slow-consumers", "--interval", "0.1", "--times", "2") as terminal:
        assert terminal.end() == 0
        assert "oldest_delivery_age" in terminal.shown


def test_replaying_asks_first(amq: Amq) -> None:
    amq.done("add", "queue", "jobs", "-a", "x-dead-letter-exchange=", "-a", "x-dead-letter-routing-key=dead", *V)
    amq.done("add", "queue", "dead", *V)
    amq.done("publish", "", "jobs", "x", *V)
    amq.done("consume", "jobs", "-n", "1", "--ack", "reject", *V)
    for answer, status, left in (("n\n", 130, "1"), ("y\n", 0, "0")):
        with Terminal(amq, "replay-dlq", "dead", *V) as terminal:
            terminal.await_text("Send them back?")
            terminal.type(answer)
            assert terminal.end() == status
        rows = amq.done("list", "queues", "-c", "name,messages", "--no-header", *V).lines()
        assert f"dead\t{left}" in rows


def test_a_password_is_asked_for_twice_and_not_shown(amq: Amq) -> None:
    with Terminal(amq, "add", "user", "typed") as terminal:
        terminal.await_text("Password:")
        terminal.type("secret\n")
        terminal.await_text("Repeat for confirmation:")
        terminal.type("secret\n")
        assert terminal.end() == 0
        assert "secret" not in terminal.shown
    amq.done("delete", "user", "typed")


def test_progress_is_shown_of_what_takes_long(amq: Amq) -> None:
    amq.done("add", "queue", "jobs", *V)
    command = ("publish", "", "jobs", "x", "--repeat", "30", "--rate", "60", *V)
    with Terminal(amq, *command) as terminal:
        assert terminal.end() == 0
        assert re.search(r"\d+/30", terminal.shown)
        assert "30 messages published" in terminal.shown
    with Terminal(amq, *command, "--quiet") as terminal:
        assert terminal.end() == 0
        assert terminal.shown == ""
