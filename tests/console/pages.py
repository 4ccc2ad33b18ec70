"""A broker with something of everything, and the addresses of all pages over it."""

from __future__ import annotations

import json
from typing import Any, Final

import httpx
import pika

Page = tuple[str, tuple[str, ...], dict[str, str]]

PAGES: Final[tuple[Page, ...]] = (
    ("overview", ("overview",), {}),
    ("queues", ("queues",), {}),
    ("queue", ("queues", "shop", "orders.eu"), {}),
    ("messages", ("queues", "shop", "orders.eu"), {"tab": "messages"}),
    ("queue-bindings", ("queues", "shop", "orders.eu"), {"tab": "bindings"}),
    ("publish", ("queues", "shop", "orders.eu"), {"tab": "publish"}),
    ("exchanges", ("exchanges",), {}),
    ("exchange", ("exchanges", "shop", "orders"), {}),
    ("default-exchange", ("exchanges", "shop", "amq.default"), {}),
    ("connections", ("connections",), {}),
    ("channels", ("channels",), {}),
    ("policies", ("policies",), {}),
    ("operator-policies", ("policies",), {"tab": "operator-policies"}),
    ("limits", ("limits",), {}),
    ("parameters", ("parameters",), {}),
    ("users", ("users",), {}),
    ("user", ("users", "guest"), {}),
    ("vhosts", ("vhosts",), {}),
    ("top", ("top",), {}),
    ("logs", ("logs",), {}),
    ("trace", ("trace",), {"vhost": "shop", "queue": "billing"}),
    ("definitions", ("definitions",), {}),
    ("configuration", ("configuration",), {}),
    ("features", ("features",), {}),
    ("missing", ("nothing",), {}),
)


def furnish(api: httpx.Client, url: str) -> pika.BlockingConnection:
    """Fill the vhost `shop`; the connection that is returned keeps a consumer on `billing`."""
    put(api, "/vhosts/shop", {"description": "The shop", "tags": "production"})
    put(api, "/permissions/shop/guest", {"configure": ".*", "write": ".*", "read": ".*"})
    put(api, "/users/shop", {"password": "shop", "tags": "monitoring"})
    put(api, "/exchanges/shop/unrouted", {"type": "fanout"})
    put(api, "/exchanges/shop/orders", {"type": "topic", "arguments": {"alternate-exchange": "unrouted"}})
    put(api, "/exchanges/shop/europe", {"type": "topic"})
    put(api, "/exchanges/shop/audit", {"type": "headers"})
    dead = {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": "orders.dead"}
    queues = {"orders.eu": dead, "orders.us": {}, "orders.dead": {}, "orders.all": {"x-max-length": 10_000}}
    for name, arguments in {**queues, "billing": {"x-max-priority": 5}, "audit.big": {}, "lost": {}}.items():
        put(api, f"/queues/shop/{name}", {"durable": True, "arguments": arguments})
    bind(api, "orders", "q/orders.us", "order.*.us")
    bind(api, "orders", "q/orders.all", "#")
    bind(api, "orders", "q/billing", "order.paid.*")
    bind(api, "orders", "e/europe", "*.*.eu")
    bind(api, "orders", "e/audit", "order.#")
    bind(api, "europe", "q/orders.eu", "#.eu.#")
    bind(api, "audit", "q/audit.big", "", {"x-match": "all", "size": "big", "type": "order"})
    bind(api, "unrouted", "q/lost", "")
    put(api, "/policies/shop/short", {"pattern": "^orders\\.", "definition": {"max-length": 500_000}, "priority": 1})
    most = {"pattern": ".*", "definition": {"max-length": 1_000_000}, "apply-to": "queues"}
    put(api, "/operator-policies/shop/most", most)
    put(api, "/vhost-limits/shop/max-queues", {"value": 1000})
    connection = pika.BlockingConnection(pika.URLParameters(url.replace("%2F", "shop") + "?heartbeat=0"))
    channel = connection.channel()
    for number in range(60):
        key = ("order.paid.eu", "order.new.us", "order.paid.us")[number % 3]
        headers = {"type": "order", "size": "big" if number % 5 == 0 else "small", "tenant": "acme"}
        body = json.dumps({"order": number, "total": number * 7.5, "items": ["tea", "mug"]})
        properties = pika.BasicProperties(
            message_id=f"m-{number}", content_type="application/json", delivery_mode=2, headers=headers
        )
        channel.basic_publish("orders", key, body.encode(), properties)
    channel.basic_qos(prefetch_count=3)
    channel.basic_consume("billing", lambda *_: None, consumer_tag="clerk")
    connection.process_data_events(0.3)
    return connection


def put(api: httpx.Client, path: str, body: dict[str, Any]) -> None:
    answer = api.put(path, json=body)
    assert answer.status_code in (201, 204), (path, answer.text)


def bind(api: httpx.Client, source: str, destination: str, key: str, arguments: dict[str, Any] | None = None) -> None:
    answer = api.post(
        f"/bindings/shop/e/{source}/{destination}", json={"routing_key": key, "arguments": arguments or {}}
    )
    assert answer.status_code == 201, answer.text
