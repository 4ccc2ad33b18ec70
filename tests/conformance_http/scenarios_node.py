"""The node: overview, nodes, health, and what else has no place of its own."""

from tests.conformance_http.play import Play


def overview(play: Play) -> None:
    vhost = play.vhost("conf-overview")
    play.set("PUT", f"/queues/{vhost}/q", {"durable": True})
    for _ in range(2):
        play.set("POST", f"/exchanges/{vhost}/amq.default/publish", _MESSAGE)
    play.set("POST", f"/queues/{vhost}/q/get", {"count": 1, "ackmode": "ack_requeue_false", "encoding": "auto"})
    play.figures()
    play.until("/overview", lambda found: bool(found["contexts"]))
    play.ask("GET", "/overview", only="shape")
    play.ask("GET", "/overview?lengths_age=60&lengths_incr=5&msg_rates_age=60&msg_rates_incr=5", only="shape")
    play.ask("GET", "/overview?columns=object_totals.exchanges", only="shape")
    play.ask("GET", "/cluster-name", only="shape")
    play.ask("GET", "/extensions", only="shape")
    play.ask("GET", "/whoami")
    play.ask("GET", "/nonsense")


def nodes(play: Play) -> None:
    play.figures()
    name = play.get("/nodes")[0]["name"]
    play.ask("GET", "/nodes", only="shape")
    for path in ("", "?memory=true", "/memory", "/memory/relative"):
        response = play.ask("GET", f"/nodes/{name}{path}", only="shape")
        assert response.status_code == 200
    play.ask("GET", "/nodes/rabbit@nowhere.example")
    play.ask("GET", "/feature-flags", only="shape")


def health(play: Play) -> None:
    for check in (
        "alarms",
        "local-alarms",
        "virtual-hosts",
        "node-is-mirror-sync-critical",
        "node-is-quorum-critical",
        "certificate-expiration/1/months",
        "certificate-expiration/x/months",
        "certificate-expiration/1/fortnights",
        "port-listener/1",
        "port-listener/x",
        "protocol-listener/amqp",
        "protocol-listener/smoke",
    ):
        play.ask("GET", f"/health/checks/{check}")
    assert play.get(f"/health/checks/port-listener/{play.target.amqp}")["status"] == "ok"
    play.ask("GET", "/aliveness-test/%2F")
    play.ask("GET", "/aliveness-test/nowhere")
    play.ask("GET", "/healthchecks/node")
    play.ask("GET", "/auth")


_MESSAGE = {"properties": {"delivery_mode": 2}, "routing_key": "q", "payload": "x", "payload_encoding": "string"}

SCENARIOS = (overview, nodes, health)
