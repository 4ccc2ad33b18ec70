"""What the broker sees of who asks over HTTP."""

from typing import Any

import httpx

from amq.broker import Broker
from amq.vhost import tracing


class Ear(tracing.Tap):
    """Remembers what it hears."""

    def __init__(self) -> None:
        self.heard: list[tracing.Event] = []

    def take(self, event: tracing.Event) -> None:
        self.heard.append(event)


async def test_messages_over_http_are_traced_under_their_users_name(client: httpx.AsyncClient, broker: Broker) -> None:
    await client.put("/queues/%2F/q", json={})
    ear = Ear()
    tracing.tap(broker.vhosts["/"], ear)
    message: dict[str, Any] = {"routing_key": "q", "properties": {}, "payload": "x", "payload_encoding": "string"}
    await client.post("/exchanges/%2F/amq.default/publish", json=message)
    await client.post("/queues/%2F/q/get", json={"count": 1, "ackmode": "ack_requeue_false", "encoding": "auto"})
    origins = [event.origin for event in ear.heard if event.origin is not None]
    assert [(event.what, event.queues) for event in ear.heard][:2] == [("published", [b"q"]), ("delivered", [b"q"])]
    assert {origin.user for origin in origins} == {"guest"}
