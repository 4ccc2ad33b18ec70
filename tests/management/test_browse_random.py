"""Random publishing, consuming, browsing, deleting and moving, compared with lists after every step."""

from __future__ import annotations

import random
import time
from typing import Any

import attrs
import httpx
import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st

from amq.broker import Broker
from amq.config.settings import Settings
from amq.management.app import application
from amq.management.node import Node
from amq.message import Message
from amq.queues import looking
from amq.queues.stored import StoredQueue
from tests.management.conftest import client_of, new_node
from tests.management.standing import put, queue

STEPS = 40
KINDS = ("a", "b", "c")


@attrs.define
class Entry:
    """A message as a naive queue has it."""

    body: str
    kind: str
    priority: int
    position: int = -1
    redelivered: bool = False


@attrs.define
class Naive:
    """A queue as a list, in order of delivery; `held` are those that were got."""

    highest: int
    waiting: list[Entry] = attrs.field(factory=list)
    held: list[tuple[Entry, int, Message]] = attrs.field(factory=list)
    arrivals: dict[int, int] = attrs.field(factory=dict)

    def put(self, entry: Entry) -> None:
        level = min(entry.priority, self.highest)
        place = self.arrivals.get(level, 0)
        self.arrivals[level] = place + 1
        entry.position = place * 256 + level if self.highest else place
        self.back(entry)

    def back(self, entry: Entry) -> None:
        self.waiting.append(entry)
        self.waiting.sort(key=lambda each: (-min(each.priority, self.highest), each.position))

    def count(self, kinds: str) -> list[Entry]:
        return [each for each in self.waiting if each.kind in kinds]


class Play:
    """One random history of two queues."""

    def __init__(self, rng: random.Random, client: httpx.AsyncClient, node: Node) -> None:
        self.rng = rng
        self.client = client
        self.node = node
        self.queues: dict[str, tuple[StoredQueue, Naive]] = {}
        for name in ("left", "right"):
            highest = rng.choice([0, 0, 3])
            arguments = {"x-max-priority": ("I", highest)} if highest else {}
            self.queues[name] = (queue(node, name, arguments, durable=False), Naive(highest))
        self.published = 0

    async def step(self) -> None:
        name = self.rng.choice(list(self.queues))
        real, naive = self.queues[name]
        action = self.rng.choice(
            [self.publish, self.publish, self.get, self.give_back, self.delete, self.delete_kind, self.move, self.chill]
        )
        await action(name, real, naive)
        for each in self.queues:
            await self.compare(each)

    async def publish(self, name: str, real: StoredQueue, naive: Naive) -> None:
        for _ in range(self.rng.choice([1, 3, 60])):
            entry = Entry(f"{self.published}", self.rng.choice(KINDS), self.rng.randrange(5))
            self.published += 1
            put(self.node, real, entry.body, type=entry.kind, priority=entry.priority)
            naive.put(entry)

    async def get(self, name: str, real: StoredQueue, naive: Naive) -> None:
        for _ in range(self.rng.choice([1, 5, 40])):
            taken = real.get()
            while taken is None and real.cold_head():
                self.node.flush()
                taken = real.get()
            if not naive.waiting:
                assert taken is None
                return
            assert taken is not None
            entry = naive.waiting.pop(0)
            position, message, redelivered = taken
            assert (position, message.body.decode(), redelivered) == (entry.position, entry.body, entry.redelivered)
            naive.held.append((entry, position, message))

    async def give_back(self, name: str, real: StoredQueue, naive: Naive) -> None:
        """Settle some of what was got, and put the rest back."""
        for entry, position, message in naive.held:
            if self.rng.random() < 0.5:
                real.settle(position, message)
            else:
                self.node.work(lambda position=position, message=message: real.requeue([(position, message)]))  # type: ignore[misc]
                entry.redelivered = True
                naive.back(entry)
        naive.held.clear()

    async def delete(self, name: str, real: StoredQueue, naive: Naive) -> None:
        position = self.rng.choice([each.position for each in naive.waiting] or [0])
        entry = next((each for each in naive.waiting if each.position == position), None)
        answer = await self.client.delete(f"/amq/queues/%2F/{name}/messages/{position}")
        assert answer.status_code == (404 if entry is None else 204)
        if entry is not None:
            naive.waiting.remove(entry)

    def chosen(self, naive: Naive) -> tuple[dict[str, Any], list[Entry]]:
        """Some kinds and a limit, as a request says it, and what that is in the list."""
        kinds = "".join(self.rng.sample(KINDS, self.rng.randrange(1, 3)))
        limit = self.rng.choice([1, 7, 1000])
        selector = f"type IN ({', '.join(repr(kind) for kind in kinds)})"
        return {"selector": selector, "limit": limit}, naive.count(kinds)[:limit]

    async def delete_kind(self, name: str, real: StoredQueue, naive: Naive) -> None:
        request, entries = self.chosen(naive)
        dry_run = self.rng.random() < 0.3
        answer = await self.client.delete(
            f"/amq/queues/%2F/{name}/messages", params={**request, "dry_run": str(dry_run).lower()}
        )
        assert answer.json()["deleted"] == len(entries)
        if not dry_run:
            naive.waiting = [each for each in naive.waiting if each not in entries]

    async def move(self, name: str, real: StoredQueue, naive: Naive) -> None:
        request, entries = self.chosen(naive)
        other = "left" if name == "right" else "right"
        dry_run = self.rng.random() < 0.3
        answer = await self.client.post(
            f"/amq/queues/%2F/{name}/move", json={**request, "to": {"queue": other}, "dry_run": dry_run}
        )
        assert answer.json()["moved"] == len(entries)
        if not dry_run:
            naive.waiting = [each for each in naive.waiting if each not in entries]
            for each in entries:
                self.queues[other][1].put(Entry(each.body, each.kind, each.priority))

    async def chill(self, name: str, real: StoredQueue, naive: Naive) -> None:
        """Have some of what waits on disk alone."""
        self.node.work(lambda: real.page_out(self.rng.choice([0, 5, 30]), 1000))

    async def compare(self, name: str) -> None:
        """Browse the whole queue, in pages."""
        real, naive = self.queues[name]
        found: list[dict[str, Any]] = []
        at: int | None = -1
        while at is not None:
            answer = await self.client.get(
                f"/amq/queues/%2F/{name}/messages", params={"from": at, "limit": self.rng.choice([1, 20, 1000])}
            )
            assert answer.status_code == 200, answer.text
            found += answer.json()["messages"]
            at = answer.json()["next"]
            if self.rng.random() < 0.5 and at is not None:
                # A cursor is as good as a long answer.
                answer = await self.client.get(f"/amq/queues/%2F/{name}/messages", params={"from": at, "limit": 1000})
                found += answer.json()["messages"]
                break
        assert [(each["position"], each["payload"], each["redelivered"]) for each in found] == [
            (each.position, each.body, each.redelivered) for each in naive.waiting
        ]
        assert real.ready_count() == len(naive.waiting)
        assert real.unacked == len(naive.held)
        assert real.size == sum(len(each.body) for each in naive.waiting)


def node_with_pages() -> Node:
    """A node whose queues can be paged out, and whose flush reads pages as the shell's loader does."""
    broker = Broker(Settings(), time.monotonic(), time.time())
    node = new_node(broker)
    journal = broker.journal
    journal.pages = []

    def flush() -> None:
        while journal.wanted:
            wanted, journal.wanted = journal.wanted, []
            for load in wanted:
                pieces = [] if load.stale() else load.page().pieces
                assert pieces is not None
                broker.take_in(load, load.unpack(b"".join(pieces)))

    node.flush = flush
    return node


async def play(rng: random.Random) -> None:
    node = node_with_pages()
    async with client_of(application(node)) as client:
        history = Play(rng, client, node)
        for _ in range(STEPS):
            await history.step()


@given(st.integers(0, 1 << 32))
@settings(max_examples=30, deadline=None)
def test_queues_are_what_lists_would_be(seed: int) -> None:
    trio.run(play, random.Random(seed))


@given(st.integers(0, 1 << 32))
@settings(max_examples=8, deadline=None)
def test_queues_with_very_many_returned_messages_are_what_lists_would_be(seed: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        # What is many, and takes many steps to sort.
        patch.setattr(looking, "FEW", 3)
        patch.setattr(looking, "STEP", 50)
        patch.setattr(looking, "SORTED", 20)
        trio.run(play, random.Random(seed))
