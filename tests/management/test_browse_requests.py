"""Any request about the messages of a queue gets an answer that is documented, whatever is in it."""

from __future__ import annotations

import json
import random
from typing import Any

import trio
from hypothesis import given, settings
from hypothesis import strategies as st

from amq.management import browse, moving, replay
from amq.management.app import application
from amq.management.endpoint import Endpoint
from tests.lang.selectors import death
from tests.management.conftest import client_of
from tests.management.standing import put, queue
from tests.management.test_browse_random import node_with_pages

ENDPOINTS = [*browse.TABLE, *moving.TABLE, *replay.TABLE]
VALUES: list[Any] = [
    *(None, True, False, 0, 1, -1, 5, 10**30, 1.5, "", "0", "1", "7", "-1", "x", "true", "auto", "base64", "last", "q"),
    *("queue", "exchange", "strip", "\x00", "ä", "\ud800", "priority = 1", "type LIKE '%_a' OR", "x" * 20_000),
    *([], {}, {"queue": "other"}, {"queue": 1}, {"exchange": "amq.fanout"}, {"exchange": "", "routing_key": "other"}),
    *({"exchange": "\ud800"}, {"queue": "q", "exchange": "x"}, {"exchange": "amq.topic", "routing_key": "x" * 300}),
]
NAMES = ["selector", "message_id", "from", "limit", "scan", "dry_run", "truncate", "encoding", "to", "death", "history"]
NAMES += ["fingerprint"]


def text(value: Any) -> str:
    """A value in a query, where all is text."""
    written = value if isinstance(value, str) else json.dumps(value)
    return written.encode("utf-8", "replace").decode()


async def ask(rng: random.Random) -> None:
    node = node_with_pages()
    for name in ("q", "other"):
        q = queue(node, name)
        for number in range(3):
            history = {"x-death": ("A", [death("other", "rejected", 1, "", "other")])}
            put(node, q, f"{number}", priority=number, headers=history if number else None)
    async with client_of(application(node)) as client:
        for _ in range(20):
            endpoint: Endpoint = rng.choice(ENDPOINTS)
            fields = {name: rng.choice(VALUES) for name in rng.sample(NAMES, rng.randrange(6))}
            path = endpoint.path.replace("{vhost}", rng.choice(["%2F", "%2F", "none"]))
            path = path.replace("{queue}", rng.choice(["q", "q", "other", "none", "%00", "%FF"]))
            path = path.replace("{position}", rng.choice(["0", "2", "7", "-1", "x", "99999999999999999999"]))
            body = json.dumps(fields) if endpoint.method == "POST" else None
            query = {name: text(value) for name, value in fields.items()} if body is None else {}
            answer = await client.request(endpoint.method, path, params=query, content=body)
            assert answer.status_code in {*endpoint.answers, 400, 401, 404}, (path, fields, answer.text)
            if answer.status_code >= 400:
                assert set(answer.json()) == {"error", "reason"}


@given(st.integers(0, 1 << 32))
@settings(max_examples=40, deadline=None)
def test_any_request_gets_a_documented_answer(seed: int) -> None:
    trio.run(ask, random.Random(seed))
