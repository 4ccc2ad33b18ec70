"""`amq list`, `add`, `set`, `delete`, `close`: what is there, over the socket of a real broker."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

import pika
import pytest

if TYPE_CHECKING:
    from tests.cli.broker_at_hand import Amq
    from tests.cli.conftest import Connect

V = ("-p", "t")


def names(amq: Amq, what: str, *more: str) -> list[str]:
    return amq.done("list", what, "-c", "name", "--no-header", *more).lines()


def test_queues_are_added_listed_and_deleted(amq: Amq) -> None:
    said = amq.done("add", "queue", "jobs", "--argument", "x-max-length=10", "-a", "x-overflow=reject-publish", *V)
    assert said.out == "queue 'jobs' in vhost 't' added\n"
    assert (
        "was there already"
        in amq.done("add", "queue", "jobs", "-a", "x-max-length=10", "-a", "x-overflow=reject-publish", *V).out
    )
    (row,) = amq.done("list", "queues", "--format", "json", *V).json()
    assert (row["name"], row["durable"], row["arguments"]) == (
        "jobs",
        True,
        {"x-max-length": 10, "x-overflow": "reject-publish"},
    )
    assert "inequivalent arg 'x-max-length'" in amq.refused(65, "add", "queue", "jobs", "-a", "x-max-length=11", *V)
    amq.done("delete", "queue", "jobs", *V)
    assert amq.done("list", "queues", *V).lines() == [
        "vhost\tname\ttype\tstate\tmessages\tmessages_ready\tmessages_unacknowledged\tconsumers\tpolicy"
    ]
    assert amq.refused(65, "delete", "queue", "jobs", *V).endswith("/api/queues/t/jobs")


def test_a_queue_in_use_or_with_messages_is_kept_when_that_was_asked_for(amq: Amq, connect: Connect) -> None:
    amq.done("add", "queue", "full", *V)
    amq.done("publish", "", "full", "x", *V)
    assert amq.refused(65, "delete", "queue", "full", "--if-empty", *V)
    amq.done("delete", "queue", "full", "--if-unused", *V)


def test_exchanges_and_bindings_come_and_go(amq: Amq) -> None:
    amq.done("add", "exchange", "events", "--type", "topic", *V)
    amq.done("add", "exchange", "copies", "--type", "fanout", "--transient", "--internal", *V)
    amq.done("add", "queue", "jobs", *V)
    assert {"events", "copies"} < set(names(amq, "exchanges", *V))
    amq.done("add", "binding", "events", "jobs", "-k", "order.#", *V)
    amq.done("add", "binding", "events", "jobs", "-k", "order.#", "-a", "n=1", *V)
    amq.done("add", "binding", "events", "copies", "--to", "exchange", "-k", "a", *V)
    rows = amq.done("list", "bindings", "-f", "json", *V).json()
    made = [(row["destination"], row["routing_key"], row["arguments"]) for row in rows if row["source"] == "events"]
    assert sorted(made, key=repr) == [("copies", "a", {}), ("jobs", "order.#", {"n": 1}), ("jobs", "order.#", {})]
    assert "is not bound to 'events'" in amq.refused(65, "delete", "binding", "events", "jobs", "-k", "other", *V)
    amq.done("delete", "binding", "events", "jobs", "-k", "order.#", *V)
    amq.done("delete", "binding", "events", "jobs", "-k", "order.#", *V)
    amq.done("delete", "binding", "events", "copies", "-t", "exchange", "-k", "a", *V)
    assert "events" not in amq.done("list", "bindings", "-c", "source", *V).lines()
    amq.done("delete", "exchange", "events", "--if-unused", *V)
    amq.done("delete", "exchange", "copies", *V)


def test_of_two_bindings_with_one_key_the_one_with_these_arguments_goes(amq: Amq) -> None:
    amq.done("add", "queue", "jobs", *V)
    for number in ("1", "2"):
        amq.done("add", "binding", "amq.direct", "jobs", "-k", "k", "-a", f"n={number}", *V)
    assert "with the routing key 'k'" in amq.refused(65, "delete", "binding", "amq.direct", "jobs", "-k", "k", *V)
    amq.done("delete", "binding", "amq.direct", "jobs", "-k", "k", "-a", "n=2", *V)
    rows = amq.done("list", "bindings", "-f", "json", *V).json()
    assert [row["arguments"] for row in rows if row["source"]] == [{"n": 1}]


def test_users_are_added_changed_and_deleted(amq: Amq) -> None:
    amq.done("add", "user", "ann", "secret", "--tag", "monitoring")
    try:
        assert "is there already" in amq.refused(65, "add", "user", "ann", "other")
        url = amq.url.replace("guest:guest", "ann:{}")
        amq.done("ping", "--url", url.format("secret"))
        amq.done("set", "user", "ann", "--tag", "management", "--tag", "other")
        amq.done("ping", "--url", url.format("secret"))
        (row,) = [row for row in amq.done("list", "users", "-f", "json").json() if row["name"] == "ann"]
        assert row["tags"] == ["management", "other"]
        amq.done("set", "user", "ann", "new")
        assert "'ann' at http://127.0.0.1:" in amq.refused(77, "ping", "--url", url.format("secret"))
        amq.done("ping", "--url", url.format("new"))
        hashed = amq.done("hash-password", "hashed").out.strip()
        algorithm = "rabbit_password_hashing_sha256"
        amq.done("set", "user", "ann", "--password-hash", hashed, "--hashing-algorithm", algorithm)
        amq.done("ping", "--url", url.format("hashed"))
        assert "one of PASSWORD," in amq.refused(64, "set", "user", "ann", "x", "--no-password")
    finally:
        amq.done("delete", "user", "ann")
    assert amq.refused(65, "set", "user", "ann", "--tag", "x")


def test_a_password_is_read_from_stdin(amq: Amq) -> None:
    ended = amq.process("add", "user", "ben", stdin=b"from stdin\n")
    try:
        assert (ended.returncode, ended.stderr) == (0, b"")
        assert "may not: Not management user" in amq.refused(
            77, "ping", "--url", amq.url.replace("guest:guest", "ben:from%20stdin")
        )
    finally:
        amq.done("delete", "user", "ben")
    assert amq.process("add", "user", "ben").returncode == 65


def test_vhosts_are_added_changed_and_deleted(amq: Amq) -> None:
    amq.done("add", "vhost", "u", "--description", "for tests", "--tag", "a")
    try:
        assert "is there already" in amq.refused(65, "add", "vhost", "u")
        amq.done("set", "vhost", "u", "--tracing")
        (row,) = [row for row in amq.done("list", "vhosts", "-f", "json").json() if row["name"] == "u"]
        assert (row["description"], row["tags"], row["tracing"]) == ("for tests", ["a"], True)
        amq.done("set", "vhost", "u", "--no-tracing", "--tag", "b", "--description", "other")
        (row,) = [row for row in amq.done("list", "vhosts", "-f", "json").json() if row["name"] == "u"]
        assert (row["description"], row["tags"], row["tracing"]) == ("other", ["b"], False)
    finally:
        amq.done("delete", "vhost", "u")


def test_permissions_come_and_go(amq: Amq) -> None:
    amq.done("add", "user", "ann", "x")
    try:
        amq.done("set", "permissions", "ann", "", "^a", ".*", *V)
        amq.done("set", "topic-permissions", "ann", "amq.topic", "^a", "^b", *V)
        assert "t\tann\t\t^a\t.*" in amq.done("list", "permissions", *V).lines()
        assert "t\tann\tamq.topic\t^a\t^b" in amq.done("list", "topic-permissions", *V).lines()
        amq.done("delete", "topic-permissions", "ann", "amq.topic", *V)
        amq.done("delete", "permissions", "ann", *V)
        assert [line for line in amq.done("list", "permissions").lines() if "\tann\t" in line] == []
        assert amq.refused(65, "set", "permissions", "ann", "(", "", "", *V).startswith("amq: ")
    finally:
        amq.done("delete", "user", "ann")


@pytest.mark.parametrize(("kind", "plural"), [("policy", "policies"), ("operator-policy", "operator-policies")])
def test_policies_come_and_go(amq: Amq, kind: str, plural: str) -> None:
    amq.done("set", kind, "short", "^q", '{"max-length": 5}', "--apply-to", "queues", "--priority", "2", *V)
    assert 't\tshort\t^q\tqueues\t2\t{"max-length":5}' in amq.done("list", plural, *V).lines()
    amq.done("add", "queue", "q", *V)
    (row,) = amq.done("list", "queues", "-f", "json", *V).json()
    assert row["policy" if kind == "policy" else "operator_policy"] == "short"
    assert amq.refused(65, "set", kind, "bad", "(", '{"max-length": 5}', *V).startswith(
        "amq: Validation failed: pattern should be regular expression"
    )
    assert '<<"x">>' in amq.refused(65, "set", kind, "bad", "^q", '{"max-length": "x"}', *V)
    assert "DEFINITION is no JSON" in amq.refused(65, "set", kind, "bad", "^q", "{", *V)
    amq.done("delete", kind, "short", *V)
    assert names(amq, plural, *V) == []


@pytest.mark.parametrize("kind", ["policy", "operator-policy"])
def test_a_policy_is_previewed_and_not_set(amq: Amq, kind: str) -> None:
    amq.done("add", "queue", "q", *V)
    amq.done("add", "queue", "other", *V)
    said = amq.done("set", kind, "short", "^q", '{"max-length": 5}', "--preview", "-c", "kind,name,wins,would_be", *V)
    assert said.lines() == ["kind\tname\twins\twould_be", 'queue\tq\ttrue\t{"max-length":5}']
    assert names(amq, "policies" if kind == "policy" else "operator-policies", *V) == []


def test_parameters_and_limits_come_and_go(amq: Amq) -> None:
    amq.done("set", "global-parameter", "mine", '{"a": [1]}')
    assert 'mine\t{"a":[1]}' in amq.done("list", "global-parameters").lines()
    amq.done("delete", "global-parameter", "mine")
    amq.done("set", "vhost-limit", "max-queues", "5", *V)
    amq.done("set", "user-limit", "guest", "max-channels", "500")
    lines = amq.done("list", "limits").lines()
    assert {"vhost\tt\tmax-queues\t5", "user\tguest\tmax-channels\t500"} < set(lines)
    assert amq.done("list", "limits", *V).lines()[1:] == ["vhost\tt\tmax-queues\t5"]
    amq.done("delete", "vhost-limit", "max-queues", *V)
    amq.done("delete", "user-limit", "guest", "max-channels")
    assert amq.done("list", "limits").lines() == ["of\tname\tlimit\tvalue"]
    assert "component none not found" in amq.refused(65, "set", "parameter", "none", "x", "{}", *V)


def test_add_takes_what_set_sets(amq: Amq) -> None:
    amq.done("add", "policy", "short", "^q", '{"max-length": 5}', *V)
    assert names(amq, "policies", *V) == ["short"]


def test_connections_are_listed_and_closed(amq: Amq, connect: Connect) -> None:
    first, second = connect(amq.broker.port), connect(amq.broker.port)
    first.channel().basic_qos(prefetch_count=7)
    found = names(amq, "connections")
    assert len(found) == 2
    (row,) = amq.done("list", "channels", "-f", "json").json()
    assert row["prefetch_count"] == 7
    amq.done("close", "connection", row["connection_details"]["name"], "--reason", "so be it")
    with pytest.raises(pika.exceptions.ConnectionClosedByBroker, match="CONNECTION_FORCED - so be it"):
        first.sleep(10)
    assert amq.done("close", "connection", "--user", "guest").out == "1 connection closed\n"
    with pytest.raises(pika.exceptions.ConnectionClosedByBroker, match="Closed via amq close"):
        second.sleep(10)
    assert amq.done("close", "connection", "--all").out == "0 connections closed\n"
    assert amq.refused(65, "close", "connection", "none")
    assert "one of NAME, --user and --all" in amq.refused(64, "close", "connection")


def test_consumers_are_listed(amq: Amq, connect: Connect) -> None:
    channel = connect(amq.broker.port).channel()
    channel.queue_declare("mine", exclusive=True)
    channel.basic_consume("mine", lambda *_: None, consumer_tag="tag")
    assert [line.split("\t")[:3] for line in amq.done("list", "consumers").lines()[1:]] == [["/", "mine", "tag"]]


@pytest.mark.parametrize(
    "what", ["nodes", "feature-flags", "deprecated-features", "parameters", "operator-policies", "users"]
)
def test_everything_can_be_listed_in_every_format(amq: Amq, what: str) -> None:
    rows = amq.done("list", what, "-f", "json").json()
    table = amq.done("list", what).lines()
    read = list(csv.reader(io.StringIO(amq.done("list", what, "-f", "csv").out)))
    assert len(rows) == len(table) - 1 == len(read) - 1
    assert table[0].split("\t") == read[0]


def test_columns_are_chosen_sorted_and_looked_into(amq: Amq) -> None:
    for name, length in (("b", 2), ("a", 10), ("c", 1)):
        amq.done("add", "queue", name, "-a", f"x-max-length={length}", *V)
    chosen = ("list", "queues", "-c", "name,arguments.x-max-length", *V)
    assert amq.done(*chosen, "--sort", "arguments.x-max-length").lines() == [
        "name\targuments.x-max-length",
        "c\t1",
        "b\t2",
        "a\t10",
    ]
    assert amq.done(*chosen, "--sort", "-name", "--no-header").lines() == ["c\t1", "b\t2", "a\t10"]
    assert amq.done(*chosen, "-S", "name", "-f", "json").json()[0] == {"name": "a", "arguments.x-max-length": 10}


def test_names_cannot_break_or_colour_a_table(amq: Amq) -> None:
    amq.done("add", "queue", "evil\x1b[31m\ttwo\u202e", *V)
    assert names(amq, "queues", *V) == [r"evil\x1b[31m\ttwo\u202e"]
    read = list(csv.reader(io.StringIO(amq.done("list", "queues", "-c", "name", "-f", "csv", *V).out)))
    assert read[1] == ["evil\x1b[31m\ttwo\u202e"]
    assert "\x1b" not in amq.done("list", "queues", "-f", "json", *V).out
    amq.done("delete", "queue", "evil\x1b[31m\ttwo\u202e", *V)


@pytest.mark.parametrize("name", ["a/b", "..", ".", "%2F", "a b?c#d", "ü€", "'", '"', "-dash"])
def test_any_name_can_be_used(amq: Amq, name: str) -> None:
    amq.done("add", "queue", *V, "--", name)
    assert amq.done("list", "queues", "-f", "json", *V).json()[0]["name"] == name
    amq.done("delete", "queue", *V, "--", name)
    assert names(amq, "queues", *V) == []


def test_quiet_says_nothing_of_what_was_done(amq: Amq) -> None:
    assert amq.done("add", "queue", "jobs", "-q", *V).out == ""
