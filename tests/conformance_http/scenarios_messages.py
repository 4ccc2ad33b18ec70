"""Messages over HTTP: published, got, purged."""

from typing import Any

from tests.conformance_http.play import Play

MESSAGE: dict[str, Any] = {"properties": {}, "routing_key": "k", "payload": "hi", "payload_encoding": "string"}
GETTING: dict[str, Any] = {"count": 2, "ackmode": "ack_requeue_true", "encoding": "auto"}
PROPERTIES: dict[str, Any] = {
    "delivery_mode": 2,
    "priority": 3,
    "headers": {"a": 1, "b": [1, {"x": True}], "f": 1.5, "t": {"n": -1}},
    "timestamp": 1700000000,
    "content_type": "text/plain",
    "content_encoding": "gzip",
    "correlation_id": "c",
    "reply_to": "r",
    "expiration": "60000",
    "message_id": "m",
    "type": "t",
    "user_id": "guest",
    "app_id": "ap",
    "cluster_id": "cl",
}


def publishing(play: Play) -> None:
    vhost = play.vhost("conf-publish")
    play.set("PUT", f"/exchanges/{vhost}/x", {})
    play.set("PUT", f"/exchanges/{vhost}/internal", {"internal": True})
    play.set("PUT", f"/queues/{vhost}/a", {})
    play.set("POST", f"/bindings/{vhost}/e/x/q/a", {"routing_key": "k"})
    here = f"/exchanges/{vhost}/x/publish"
    play.ask("POST", here, MESSAGE)
    play.ask("POST", here, {**MESSAGE, "routing_key": "none"})
    for body in ({}, {"routing_key": "k"}, {"routing_key": "k", "payload": "x"}, {**MESSAGE, "payload": 5}):
        play.ask("POST", here, body)
    for raw in (b"bad", b"[]"):
        play.ask("POST", here, raw=raw)
    play.ask("POST", here, {**MESSAGE, "payload_encoding": "foo"})
    play.ask("POST", here, {**MESSAGE, "payload_encoding": "base64", "payload": "!!"})
    play.ask("POST", here, {**MESSAGE, "payload_encoding": "base64", "payload": "//4="})
    play.ask("POST", here, {**MESSAGE, "payload": "", "properties": PROPERTIES})
    for properties in (
        {"delivery_mode": "2"},
        {"priority": "2"},
        {"timestamp": "2"},
        {"message_id": 5},
        {"headers": {"x": None}},
        {"headers": 5},
        {"expiration": "x"},
        {"user_id": "bob"},
        {"nope": 1},
        {"reply_to": "amq.rabbitmq.reply-to"},
        {"headers": {"CC": ["a"]}},
        {"headers": {"CC": 5}},
    ):
        play.ask("POST", here, {**MESSAGE, "properties": properties})
    play.ask("POST", here, {**MESSAGE, "routing_key": None})
    play.ask("POST", f"/exchanges/{vhost}/none/publish", MESSAGE)
    play.ask("POST", "/exchanges/nowhere/x/publish", MESSAGE)
    play.ask("POST", f"/exchanges/{vhost}/internal/publish", MESSAGE)
    play.ask("POST", f"/exchanges/{vhost}/amq.default/publish", {**MESSAGE, "routing_key": "a"})
    play.ask("POST", f"/exchanges/{vhost}/amq.default/publish", {**MESSAGE, "routing_key": ""})
    play.ask("GET", here)
    play.set("PUT", f"/queues/{vhost}/full", {"arguments": {"x-max-length": 0, "x-overflow": "reject-publish"}})
    play.ask("POST", f"/exchanges/{vhost}/amq.default/publish", {**MESSAGE, "routing_key": "full"})


def getting(play: Play) -> None:
    vhost = play.vhost("conf-get")
    play.set("PUT", f"/queues/{vhost}/a", {})
    here = f"/queues/{vhost}/a/get"
    default = f"/exchanges/{vhost}/amq.default/publish"
    to_a = {**MESSAGE, "routing_key": "a"}
    play.set("POST", default, to_a)
    play.set("POST", default, {**to_a, "payload_encoding": "base64", "payload": "//4="})
    play.set("POST", default, {**to_a, "properties": PROPERTIES, "payload": "grüße"})
    play.ask("POST", here, GETTING)
    for body in ({}, {"count": 1}, {"count": 1, "requeue": True, "encoding": "auto"}):
        play.ask("POST", here, body)
    play.ask("POST", here, raw=b"bad")
    for change in (
        {"count": "1"},
        {"count": "x"},
        {"count": 0},
        {"count": 1.5},
        {"encoding": "x"},
        {"encoding": 5},
        {"encoding": "base64"},
        {"truncate": 1},
        {"truncate": "1"},
        {"truncate": "x"},
        {"ackmode": "foo"},
        {"ackmode": 5},
        {"count": 50},
    ):
        play.ask("POST", here, {**GETTING, **change})
    play.ask("POST", here, {**GETTING, "count": 50, "ackmode": "ack_requeue_false"})
    play.ask("POST", here, GETTING)
    for ackmode in ("reject_requeue_true", "reject_requeue_false"):
        play.set("POST", default, to_a)
        play.ask("POST", here, {**GETTING, "ackmode": ackmode})
    play.ask("POST", here, GETTING)
    play.ask("POST", f"/queues/{vhost}/none/get", GETTING)
    play.ask("POST", "/queues/nowhere/a/get", GETTING)
    play.ask("GET", here)


def purging(play: Play) -> None:
    vhost = play.vhost("conf-purge")
    play.set("PUT", f"/queues/{vhost}/a", {})
    for _ in range(3):
        play.set("POST", f"/exchanges/{vhost}/amq.default/publish", {**MESSAGE, "routing_key": "a"})
    play.ask("DELETE", f"/queues/{vhost}/a?if-empty=true")
    play.ask("DELETE", f"/queues/{vhost}/a/contents")
    play.ask("POST", f"/queues/{vhost}/a/get", GETTING)
    play.ask("DELETE", f"/queues/{vhost}/none/contents")
    play.ask("GET", f"/queues/{vhost}/a/contents")
    play.ask("DELETE", f"/queues/{vhost}/a?if-empty=true")


SCENARIOS = (publishing, getting, purging)
