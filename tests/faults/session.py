"""A client's connection whose every step is written into the history: first the request, then what came of it."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import Final

import attrs

from tests.faults.client import Address, Client, Gone, Heard, Silent
from tests.faults.history import (
    Barrier,
    Confirm,
    Consume,
    Deliver,
    Emptied,
    Ended,
    History,
    Outcome,
    Publish,
    Settle,
    Transaction,
)
from tests.faults.message import Name, body_of, intact, properties_of

CHANNEL: Final = 1
# Another channel of the same connection, for marks: messages whose confirms tell that what came before is on disk.
MARKS_CHANNEL: Final = 2
MARKS: Final = "marks"


@attrs.frozen
class Delivery:
    """A message that the broker handed out on this connection."""

    tag: int
    queue: str
    message: str
    redelivered: bool


class Session:
    """One connection of an actor. Gone, from any method, when it is over; then only `drop` is left to be done."""

    def __init__(self, address: Address, actor: str, history: History) -> None:
        self.history = history
        self.name, life = history.opened(actor)
        self.client = Client(address)
        if history.life != life:
            # The broker that answered is another than the one that was meant.
            self.client.drop()
            raise Gone("a new life began while dialling")
        self.over = False
        self.unconfirmed: dict[int, dict[int, str]] = {}
        self.outstanding: dict[int, Delivery] = {}
        self.returned: set[str] = set()
        self.cancelled: set[str] = set()
        self._covers: dict[str, int] = {}
        self._sequence: dict[int, int] = {}
        self._counter = 0
        try:
            self.client.call(CHANNEL, "channel.open")
        except Gone:
            self.drop()
            raise

    def confirm(self, channel: int = CHANNEL) -> None:
        """Turn confirms on."""
        self.client.call(channel, "confirm.select")
        self.unconfirmed[channel] = {}
        self._sequence[channel] = 0

    def publish(
        self,
        queues: Iterable[str],
        *,
        exchange: str = "",
        routing_key: str = "",
        size: int = 50,
        persistent: bool = True,
        priority: int = 0,
        tx: str = "",
        channel: int = CHANNEL,
        mandatory: bool = False,
        expiration: int = 0,
        delay: int = 0,
    ) -> str:
        """Publish a message that these queues must get; returns its name. Without an exchange, to the one queue.

        `expiration` and `delay` (x-delay), in ms, are left out when they are 0.
        """
        queues = tuple(queues)
        self._counter += 1
        message = str(Name(self.name, self._counter, size, persistent, priority))
        if channel in self.unconfirmed:
            self._sequence[channel] += 1
            self.unconfirmed[channel][self._sequence[channel]] = message
        self._covers[message] = self.history.add(Publish(self.name, message, queues, tx))
        key = routing_key if exchange else queues[0].partition("#")[0]
        properties = properties_of(message) | ({"expiration": str(expiration)} if expiration else {})
        if delay:
            properties["headers"] = {"x-delay": delay}
        self.client.publish(channel, exchange, key, body_of(message), properties, mandatory)
        return message

    def mark(self) -> None:
        """Publish a persistent message that nobody consumes, whose confirm proves that all before it is on disk."""
        if MARKS_CHANNEL not in self.unconfirmed:
            self.client.call(MARKS_CHANNEL, "channel.open")
            self.confirm(MARKS_CHANNEL)
        self.publish([MARKS], channel=MARKS_CHANNEL, size=20)

    def close(self) -> None:
        """Close the connection in good order, which proves that all before it was processed."""
        covers = self._end()
        self.client.close()
        self.history.add(Barrier(self.name, covers, durable=False))

    def drop(self) -> None:
        """Be gone without a word. Nothing happens when it is over already."""
        self._end()
        self.client.drop()

    def listen(self, seconds: float) -> list[Delivery]:
        """Take in confirms and deliveries; waits at most that long when there are none."""
        return [delivery for heard in self.client.listen(seconds) for delivery in self._take(heard)]

    def wait_for_confirms(self, left: int = 0) -> list[Delivery]:
        """Wait until at most so many messages are unconfirmed; Silent when none is confirmed for long.

        Returns what was delivered meanwhile.
        """
        deliveries, before = [], self._waiting()
        deadline = time.monotonic() + self.client.patience
        while self._waiting() > left:
            deliveries += self.listen(0.05)
            if self._waiting() < before:
                before, deadline = self._waiting(), time.monotonic() + self.client.patience
            elif time.monotonic() > deadline:
                raise Silent(f"{before} messages are not confirmed")
        return deliveries

    def barrier(self) -> None:
        """Ask something of the broker whose answer proves that all before it was processed."""
        covers = len(self.history.events)
        self.client.call(CHANNEL, "basic.qos", prefetch_count=0)
        self.history.add(Barrier(self.name, covers, durable=False))

    def consume(self, queue: str, prefetch: int) -> None:
        """Start a consumer with that prefetch."""
        self.client.call(CHANNEL, "basic.qos", prefetch_count=prefetch)
        self.history.add(Consume(self.name, queue))
        self.client.call(CHANNEL, "basic.consume", queue=queue.partition("#")[0], consumer_tag=queue)

    def get(self, queue: str) -> Delivery | None:
        """basic.get; None when the queue is empty."""
        self.history.add(Consume(self.name, queue))
        self.client.send(CHANNEL, "basic.get", queue=queue.partition("#")[0])
        heard = self.client.answer(CHANNEL, "basic.get-ok", "basic.get-empty")
        return None if heard.name == "basic.get-empty" else self._delivery(heard, queue)

    def settle(self, delivery: Delivery, outcome: Outcome = "ack", *, multiple: bool = False, tx: str = "") -> None:
        """Acknowledge or give back a delivery; with `multiple` all before it, too."""
        tags = [tag for tag in self.outstanding if tag == delivery.tag or (multiple and tag < delivery.tag)]
        for tag in tags:
            one = self.outstanding.pop(tag)
            self.history.add(Settle(self.name, one.queue, one.message, outcome, tx))
        if outcome == "ack":
            self.client.send(CHANNEL, "basic.ack", delivery_tag=delivery.tag, multiple=multiple)
        elif multiple:
            requeue = outcome == "requeue"
            self.client.send(CHANNEL, "basic.nack", delivery_tag=delivery.tag, multiple=True, requeue=requeue)
        else:
            self.client.send(CHANNEL, "basic.reject", delivery_tag=delivery.tag, requeue=outcome == "requeue")

    def select_transactions(self) -> None:
        """tx.select."""
        self.client.call(CHANNEL, "tx.select")

    def commit(self, tx: str) -> None:
        """tx.commit and its answer."""
        self.history.add(Transaction(tx, "commit"))
        self.client.call(CHANNEL, "tx.commit")
        self.history.add(Transaction(tx, "committed"))

    def rollback(self, tx: str) -> None:
        """tx.rollback and its answer."""
        self.client.call(CHANNEL, "tx.rollback")
        self.history.add(Transaction(tx, "rolled back"))

    def purge(self, queue: str) -> int:
        """queue.purge; returns how many messages went."""
        self.history.add(Emptied(self.name, queue, "purge"))
        answer = self.client.call(CHANNEL, "queue.purge", queue=queue.partition("#")[0])
        self.history.add(Emptied(self.name, queue, "purge", ok=True))
        return int(answer.fields["message_count"])

    def delete(self, queue: str) -> None:
        """queue.delete."""
        self.history.add(Emptied(self.name, queue, "delete"))
        self.client.call(CHANNEL, "queue.delete", queue=queue.partition("#")[0])
        self.history.add(Emptied(self.name, queue, "delete", ok=True))

    def count(self, queue: str) -> tuple[int, int] | None:
        """Ready messages and consumers of a queue, by a passive declare; None when there is no such queue."""
        self.client.call(MARKS_CHANNEL + 1, "channel.open")
        self.client.send(MARKS_CHANNEL + 1, "queue.declare", queue=queue.partition("#")[0], passive=True)
        try:
            heard = self.client.answer(MARKS_CHANNEL + 1, "queue.declare-ok")
        except Gone as gone:
            if not gone.said.startswith("404 "):
                raise
            self.client.send(MARKS_CHANNEL + 1, "channel.close-ok")
            return None
        self.client.call(MARKS_CHANNEL + 1, "channel.close", reply_code=200)
        return heard.fields["message_count"], heard.fields["consumer_count"]

    def _end(self) -> int:
        if not self.over:
            self.over = True
            self.history.add(Ended(self.name))
        return len(self.history.events)

    def _waiting(self) -> int:
        return sum(len(waiting) for waiting in self.unconfirmed.values())

    def _take(self, heard: Heard) -> Iterator[Delivery]:
        if heard.name in ("basic.ack", "basic.nack"):
            self._confirmed(heard)
        elif heard.name == "basic.deliver":
            yield self._delivery(heard, heard.fields["consumer_tag"])
        elif heard.name == "basic.return":
            self.returned.add(heard.properties["message_id"])
        elif heard.name == "basic.cancel":
            self.cancelled.add(heard.fields["consumer_tag"])

    def _confirmed(self, heard: Heard) -> None:
        waiting, tag = self.unconfirmed[heard.channel], heard.fields["delivery_tag"]
        for one in [each for each in waiting if each == tag or (heard.fields["multiple"] and each <= tag)]:
            message = waiting.pop(one)
            covers = self._covers.pop(message)
            self.history.add(Confirm(message, refused=heard.name == "basic.nack"))
            if heard.channel == MARKS_CHANNEL:
                self.history.add(Barrier(self.name, covers, durable=True))

    def _delivery(self, heard: Heard, queue: str) -> Delivery:
        message = str(heard.properties.get("message_id", ""))
        delivery = Delivery(heard.fields["delivery_tag"], queue, message, heard.fields["redelivered"])
        self.outstanding[delivery.tag] = delivery
        whole = intact(heard.body, heard.properties)
        self.history.add(Deliver(self.name, queue, message, delivery.redelivered, whole))
        return delivery
