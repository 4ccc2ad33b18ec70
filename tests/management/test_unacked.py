"""Who holds messages that are not acknowledged."""

from __future__ import annotations

import contextlib

import httpx
import pika
import pytest

from tests.harness.process import BrokerProcess

PATH = "/amq/queues/%2F/q/unacked"


@contextlib.contextmanager
def connected(process: BrokerProcess):  # type: ignore[no-untyped-def]
    """A channel of a pika client."""
    with contextlib.closing(pika.BlockingConnection(pika.URLParameters(process.url))) as connection:
        yield connection.channel()


def test_each_holder_is_told_with_the_message_and_the_time(process: BrokerProcess, api: httpx.Client) -> None:
    with connected(process) as channel, connected(process) as transactional:
        channel.queue_declare("q", durable=True)
        channel.queue_declare("other")
        for number in range(4):
            channel.basic_publish("", "q", f"{number}".encode(), pika.BasicProperties(message_id=f"m{number}"))
        channel.basic_publish("", "other", b"x")
        channel.basic_get("other")
        channel.basic_get("q")
        channel.basic_qos(prefetch_count=1)
        assert next(iter(channel.consume("q", inactivity_timeout=5)))[2] == b"1"
        transactional.tx_select()
        transactional.basic_get("q")
        transactional.basic_ack(1)
        answer = api.get(PATH)
        assert answer.status_code == 200, answer.text
        found = answer.json()
        held = {each["payload"]: each for each in found["messages"]}
        assert found["messages_unacknowledged"] == len(found["messages"]) == len(held)
        got = held["0"]
        assert (got["consumer_tag"], got["delivery_tag"], got["position"]) == (None, 2, 0)
        assert (got["user"], got["in_transaction"]) == ("guest", False)
        assert got["properties"] == {"message_id": "m0"}
        assert got["channel"] == f"{got['connection']} (1)"
        assert got["connection"].endswith(f"-> 127.0.0.1:{process.port}")
        assert got["held_for"] >= 0
        assert "redelivered" not in got
        last = [each for each in found["messages"] if each["in_transaction"]]
        assert [each["connection"] != got["connection"] for each in last] == [True]
        consumed = held["1"]
        assert consumed["consumer_tag"].startswith("ctag1.")
        assert found["messages"][0] == got
        assert len(api.get(PATH, params={"limit": 1, "truncate": 0}).json()["messages"]) == 1
        assert api.get(PATH, params={"limit": 0}).status_code == 400


def test_nobody_holds_anything(process: BrokerProcess, api: httpx.Client) -> None:
    with connected(process) as channel:
        channel.queue_declare("q")
    assert api.get(PATH).json() == {"messages": [], "messages_unacknowledged": 0}
    assert api.get("/amq/queues/%2F/none/unacked").status_code == 404


@pytest.mark.parametrize("encoding", ["auto", "base64"])
def test_payloads_are_cut(encoding: str, process: BrokerProcess, api: httpx.Client) -> None:
    with connected(process) as channel:
        channel.queue_declare("q")
        channel.basic_publish("", "q", b"x" * 5000)
        channel.basic_get("q")
        (held,) = api.get(PATH, params={"encoding": encoding}).json()["messages"]
        assert held["payload_bytes"] == 5000
        assert len(held["payload"]) == (1000 if encoding == "auto" else 1336)
