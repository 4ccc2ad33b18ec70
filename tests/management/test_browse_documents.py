"""The commands of the page about browsing and replaying do what they say."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from contextlib import closing
from pathlib import Path

import pika
import pytest

from tests.harness.process import BrokerProcess

PAGE = (Path(__file__).parents[2] / "docs/how-to/browse-and-replay.md").read_text()
COMMANDS = re.findall(r"^```sh\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
DEAD = {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": "orders.dead"}


def prepare(process: BrokerProcess) -> None:
    """The queues of the page, with messages that its selectors take."""
    with closing(pika.BlockingConnection(pika.URLParameters(process.url))) as connection:
        channel = connection.channel()
        channel.queue_declare("work", arguments=DEAD)
        for name in ("orders", "orders.parked", "orders.dead"):
            channel.queue_declare(name)
        channel.queue_bind("orders", "amq.direct")
        for number in range(4):
            channel.basic_publish("", "work", b"{}", pika.BasicProperties(message_id=f"dead{number}"))
            method, _, _ = channel.basic_get("work")
            channel.basic_reject(method.delivery_tag, requeue=False)
        for number in range(1, 9):
            order = json.dumps({"order": {"id": number}}).encode()
            headers = {"tenant": "acme" if number == 7 else "gone"}
            properties = pika.BasicProperties(
                message_id="m-42" if number == 8 else f"m-{number}", priority=number, headers=headers, timestamp=1
            )
            channel.basic_publish("", "orders", order, properties)


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_every_command_is_answered_as_the_page_says(process: BrokerProcess) -> None:
    prepare(process)
    answers = []
    for command in COMMANDS:
        local = command.replace("127.0.0.1:15672", f"127.0.0.1:{process.http_port}")
        for one in re.split(r"\n(?=curl)", local.strip()):
            done = subprocess.run(["sh", "-c", one], capture_output=True, text=True, timeout=30, check=True)
            answers.append(done.stdout)
    *before, traced = answers
    listed, by_selector, by_id, one, unacked, deleted, counted, dry, moved, back, plan, replayed = before
    assert [each["properties"]["message_id"] for each in json.loads(listed)["messages"]] == [
        *(f"m-{number}" for number in range(1, 8)),
        "m-42",
    ]
    assert [each["properties"]["priority"] for each in json.loads(by_selector)["messages"]] == [7]
    assert [each["properties"]["priority"] for each in json.loads(by_id)["messages"]] == [8]
    assert json.loads(one)["properties"]["message_id"] == "m-1"
    assert json.loads(unacked)["messages"] == []
    assert deleted == ""
    assert (json.loads(counted)["deleted"], json.loads(counted)["scanned"]) == (6, 7)
    assert (json.loads(dry)["moved"], json.loads(dry)["dry_run"]) == (1, True)
    assert (json.loads(moved)["moved"], json.loads(moved)["dry_run"]) == (1, False)
    assert json.loads(back)["routes"] == [
        {"exchange": "amq.direct", "routing_key": "orders", "queues": ["orders"], "messages": 1}
    ]
    assert (json.loads(plan)["moved"], len(json.loads(plan)["messages"])) == (4, 4)
    assert (json.loads(replayed)["moved"], json.loads(replayed)["left"]) == (4, 0)
    assert "event: following" in traced
