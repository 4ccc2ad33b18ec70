"""Queues, exchanges and bindings: declared, looked at, bound, deleted, and all the ways to get that wrong."""

from typing import Any

from tests.conformance_http.play import Play, q

ARGUMENTS: dict[str, Any] = {
    "a": 1,
    "b": "y",
    "t": {"z": 1},
    "l": [1, "a", {"k": True}],
    "f": 1.5,
    "n": -5,
    "big": 1 << 40,
    "least": -(1 << 63),
    "tt": True,
    "e": "",
}


def queue_declarations(play: Play) -> None:
    here = f"/queues/{play.vhost('conf-queues')}"
    for body in ({}, {}, {"durable": False}, {"durable": "false"}, {"durable": True}, {"durable": "x"}, {"durable": 1}):
        play.ask("PUT", f"{here}/a", body)
    play.ask("PUT", f"{here}/b", {"durable": True, "auto_delete": "true", "arguments": {"x-max-length": 10}})
    play.ask("PUT", f"{here}/b", {"durable": True, "auto_delete": True, "arguments": {"x-max-length": 11}})
    play.ask("PUT", f"{here}/b", {"durable": True, "auto_delete": True, "node": "nope@here"})
    play.ask("PUT", f"{here}/args", {"arguments": {**ARGUMENTS, "x-max-priority": 3}})
    play.ask("PUT", f"{here}/c", {"arguments": []})
    play.ask("PUT", f"{here}/d")
    play.ask("PUT", f"{here}/null", raw=b"null")
    for raw in (b"[]", b"{bad", b'"{}"', b"5"):
        play.ask("PUT", f"{here}/e", raw=raw)
    for arguments in (5, "x", {"x": None}):
        play.ask("PUT", f"{here}/e", {"arguments": arguments})
    play.ask("PUT", f"{here}/exclusive", {"exclusive": True})
    play.ask("PUT", f"{here}/missing", {"passive": True})
    play.ask("PUT", f"{here}/a", {"passive": True})
    play.ask("PUT", f"{here}/unheard", {"nowait": True, "nonsense": 1})
    play.ask("PUT", f"{here}/amq.foo", {})
    play.ask("PUT", f"{here}/{'x' * 255}", {})
    play.ask("PUT", f"{here}/{'x' * 256}", {})
    play.ask("PUT", f"{here}/{q('/a bé%')}", {})
    play.ask("GET", f"{here}/{q('/a bé%')}?columns=name")
    for arguments in (
        {"x-message-ttl": -1},
        {"x-message-ttl": "a"},
        {"x-queue-type": "foo"},
        {"x-dead-letter-routing-key": "foo"},
        {"x-expires": 0},
        {"x-max-priority": 256},
        {"x-overflow": "spill"},
    ):
        play.ask("PUT", f"{here}/refused", {"arguments": arguments})
    play.ask("PUT", "/queues/nowhere/a", {})
    for path in ("/queues/nowhere/a", "/queues/nowhere", f"{here}/none"):
        play.ask("GET", path)
        play.ask("DELETE", path)
    play.ask("POST", f"{here}/a", {})
    play.ask("POST", here)
    play.ask("HEAD", f"{here}/a", only="status")
    play.ask("OPTIONS", f"{here}/a", only="status")
    play.ask("GET", f"{here}?disable_stats=true")
    play.ask("GET", f"{here}/b?disable_stats=true")
    play.ask("DELETE", f"{here}/b?if-empty=true&if-unused=true")
    play.ask("DELETE", f"{here}/d")
    play.ask("DELETE", f"{here}/d")


def queue_lists(play: Play) -> None:
    here = f"/queues/{play.vhost('conf-lists')}"
    for name in ("nw", "b", "W", "a", "web1"):
        play.set("PUT", f"{here}/{name}", {})
    play.figures()
    play.ask("GET", f"{here}?disable_stats=true&enable_queue_totals=true")
    for query in (
        "page=1&page_size=2&columns=name",
        "page=3&page_size=2&columns=name",
        "page=4&page_size=2&columns=name",
        "page=1&name=w&columns=name",
        "page=1&name=W%24&use_regex=true&columns=name",
        "page=1&name=%28&use_regex=true&columns=name",
        "page=1&name=none&columns=name",
        "page=0",
        "page=-1",
        "page=x",
        "page=1&page_size=501",
        "page=1&page_size=0",
        "page_size=2&columns=name",
        "name=w&columns=name",
        "sort=name&columns=name",
        "sort=name&sort_reverse=true&columns=name",
        "sort=nonsense&columns=name",
        "sort=messages&sort_reverse=true&columns=name,messages",
        "page=1&page_size=2&sort=name&sort_reverse=true&columns=name",
        "page=1&page_size=2&sort=messages&columns=name",
        "columns=name,message_stats.publish,garbage_collection.minor_gcs",
        "columns=nonsense",
        "lengths_age=5&lengths_incr=0",
        "msg_rates_age=100000&msg_rates_incr=1",
        "lengths_age=x&lengths_incr=1&columns=name",
    ):
        play.ask("GET", f"{here}?{query}")
    play.ask("GET", f"{here}/a?msg_rates_age=100000&msg_rates_incr=1")
    play.ask("GET", f"{here}/a?lengths_age=60&lengths_incr=5", only="shape")
    play.ask("GET", "/queues?columns=name,vhost&page=1&name=web1", only="shape")


def a_queue_at_rest(play: Play) -> None:
    vhost = play.vhost("conf-rest")
    play.set("PUT", f"/queues/{vhost}/q", {"durable": True, "arguments": {"x-max-length": 5}})
    play.figures()
    play.ask("GET", f"/queues/{vhost}/q")
    play.ask("GET", f"/queues/{vhost}")
    play.ask("GET", f"/queues/{vhost}?page=1")
    play.ask("GET", f"/queues/{vhost}/q?disable_stats=true")
    play.ask("GET", f"/queues/{vhost}/q/bindings")


def exchange_declarations(play: Play) -> None:
    vhost = play.vhost("conf-exchanges")
    here = f"/exchanges/{vhost}"
    for body in ({}, {"type": "topic"}, {"type": "direct"}, {"durable": True}, {"internal": "x"}):
        play.ask("PUT", f"{here}/x", body)
    play.ask("PUT", f"{here}/y", {"type": "fanout", "internal": "true", "arguments": {"alternate-exchange": "x"}})
    play.ask("GET", f"{here}/y")
    play.ask("PUT", f"{here}/z", {"type": "pigeon"})
    play.ask("PUT", f"{here}/z", {"type": 5})
    play.ask("PUT", f"{here}/z", {"type": "fanout", "durable": None})
    play.ask("PUT", f"{here}/w", {"type": "headers", "auto_delete": True, "durable": True})
    play.ask("PUT", f"{here}/p", {"passive": True})
    play.ask("PUT", f"{here}/{q('/a bé%')}", {"type": "topic"})
    for name in ("amq.foo", "amq.direct", "amq.default"):
        play.ask("PUT", f"{here}/{name}", {"type": "direct"})
    play.ask("GET", here)
    play.ask("GET", f"{here}?disable_stats=true&columns=name,type")
    play.ask("GET", f"{here}?page=1&page_size=3&columns=name")
    for name in ("amq.default", "amq.direct", "x", "none"):
        play.ask("GET", f"{here}/{name}")
        play.ask("GET", f"{here}/{name}?disable_stats=true")
    for name in ("amq.default", "amq.direct", "none", "w"):
        play.ask("DELETE", f"{here}/{name}")
    play.ask("GET", "/exchanges/nowhere")
    play.ask("PUT", "/exchanges/nowhere/x", {})
    play.ask("DELETE", f"{here}/x?if-unused=true")
    play.set("PUT", f"{here}/used", {})
    play.set("PUT", f"/queues/{vhost}/q", {})
    play.set("POST", f"/bindings/{vhost}/e/used/q/q", {"routing_key": "k"})
    play.ask("DELETE", f"{here}/used?if-unused=true")
    play.ask("DELETE", f"{here}/used")
    play.ask("PUT", f"{here}/{'x' * 256}", {"type": "direct"})


def bindings(play: Play) -> None:
    vhost = play.vhost("conf-bindings")
    play.set("PUT", f"/exchanges/{vhost}/x", {"type": "topic"})
    play.set("PUT", f"/exchanges/{vhost}/y", {"type": "fanout"})
    play.set("PUT", f"/queues/{vhost}/a", {})
    play.set("PUT", f"/queues/{vhost}/b", {})
    pair = f"/bindings/{vhost}/e/x/q/a"
    for body in (
        {},
        {},
        {"routing_key": "k"},
        {"routing_key": "k", "arguments": {"a": 1}},
        {"routing_key": "k", "arguments": ARGUMENTS},
        {"arguments": {"b": 2, "a": 1}},
        {"routing_key": "a b/c~d%", "arguments": {}},
        {"routing_key": "*.#"},
        {"routing_key": 5},
        {"routing_key": None},
        {"arguments": {"x": None}},
    ):
        play.ask("POST", pair, body)
    play.ask("POST", pair)
    for raw in (b"[]", b"bad"):
        play.ask("POST", pair, raw=raw)
    play.ask("POST", f"/bindings/{vhost}/e/x/e/y", {"routing_key": "e"})
    play.ask("POST", f"/bindings/{vhost}/e/x/q/none", {})
    play.ask("POST", f"/bindings/{vhost}/e/none/q/a", {})
    play.ask("POST", f"/bindings/{vhost}/e/amq.default/q/a", {"routing_key": "e"})
    play.ask("POST", f"/bindings/{vhost}/e/x/e/amq.default", {"routing_key": "e"})
    play.ask("POST", "/bindings/nowhere/e/x/q/a", {})
    play.set("DELETE", f"{pair}/{q('*.#')}".replace(q("*.#"), q(q("*.#"))))
    for props in ("~", "k", "k~Ajat_Q", "k~nope", "zz", "k~a~b", "~9JXBgw", q("a+b%2Fc%7Ed%25")):
        play.ask("GET", f"{pair}/{props}")
    for path in (
        pair,
        f"/bindings/{vhost}",
        f"/bindings/{vhost}?columns=properties_key&sort=properties_key",
        f"/bindings/{vhost}/e/x/e/y",
        f"/bindings/{vhost}/e/amq.default/q/a",
        f"/bindings/{vhost}/e/amq.default/q/a/a",
        f"/bindings/{vhost}/e/x/q/none",
        f"/bindings/{vhost}/e/none/q/a",
        f"/exchanges/{vhost}/x/bindings/source",
        f"/exchanges/{vhost}/y/bindings/destination",
        f"/exchanges/{vhost}/none/bindings/source",
        f"/exchanges/{vhost}/x/bindings/sideways",
        f"/queues/{vhost}/a/bindings",
        "/bindings/nowhere",
    ):
        play.ask("GET", path)
    play.ask("DELETE", pair)
    play.ask("DELETE", f"/bindings/{vhost}/e/amq.default/q/a/a")
    for props in ("k~Ajat_Q", "k~Ajat_Q", "zz", q("a+b%2Fc%7Ed%25"), "~"):
        play.ask("DELETE", f"{pair}/{props}")


def others_queues(play: Play) -> None:
    """What belongs to a connection, and what is in use."""
    vhost = play.vhost("conf-owned")
    channel = play.connect("conf-owned").channel()
    channel.queue_declare("own", exclusive=True)
    channel.queue_declare("used")
    channel.basic_consume("used", lambda *_: None, exclusive=True, consumer_tag="only")
    channel.exchange_declare("x")
    play.until(f"/queues/{vhost}/used", lambda queue: queue.get("consumers") == 1)
    here = f"/queues/{vhost}"
    play.ask("PUT", f"{here}/own", {})
    play.ask("DELETE", f"{here}/own")
    play.ask("DELETE", f"{here}/own/contents")
    getting = {"count": 2, "ackmode": "ack_requeue_true", "encoding": "auto"}
    play.ask("POST", f"{here}/own/get", getting)
    play.ask("POST", f"{here}/used/get", getting)
    play.ask("DELETE", f"{here}/used?if-unused=true")
    play.ask("POST", f"/bindings/{vhost}/e/x/q/own", {})
    play.figures()
    play.ask("GET", f"{here}/own")
    play.ask("GET", f"{here}/used")
    play.ask("GET", here)
    play.ask("POST", f"{here}/used/actions", {"action": "sync"})
    play.ask("POST", f"{here}/used/actions", {"action": "cancel_sync"})
    play.ask("POST", f"{here}/used/actions", {"action": "x"})
    play.ask("POST", f"{here}/used/actions", {})
    play.ask("POST", f"{here}/none/actions", {"action": "sync"})
    play.ask("DELETE", f"{here}/used")


SCENARIOS = (
    queue_declarations,
    queue_lists,
    a_queue_at_rest,
    exchange_declarations,
    bindings,
    others_queues,
)
