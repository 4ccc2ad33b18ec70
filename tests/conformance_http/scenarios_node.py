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


def odds_and_ends(play: Play) -> None:
    name = play.get("/nodes")[0]["name"]
    play.vhost("conf-odd")
    management = play.user("conf-odd", "management")
    for path in (f"/auth/attempts/{name}", f"/auth/attempts/{name}/source"):
        play.ask("GET", path, only="shape")
        play.ask("GET", path, user=management)
        play.ask("DELETE", path)
    play.ask("POST", "/rebalance/queues", {})
    play.ask("POST", "/rebalance/queues", {}, user=management)
    play.ask("GET", "/rebalance/queues")
    play.ask("DELETE", "/reset")
    play.ask("DELETE", f"/reset/{name}")
    play.ask("GET", "/reset")
    play.ask("PUT", "/feature-flags/user_limits/enable", {})
    play.ask("PUT", "/feature-flags/nonsense/enable", {})
    play.ask("GET", "/vhosts/conf-odd/start")
    play.ask("POST", f"/vhosts/conf-odd/start/{name}", {})
    play.ask("POST", f"/vhosts/nowhere/start/{name}", {})
    play.ask("PUT", "/cluster-name", {"name": "conformance"})
    play.ask("GET", "/cluster-name")
    play.ask("PUT", "/cluster-name", {})
    play.ask("PUT", "/cluster-name", {"name": "x"}, user=management)
    play.ask("GET", f"/healthchecks/node/{name}")
    play.ask("GET", "/definitions", user=management)
    play.ask("GET", "/all-configuration", user=management)
    play.ask("GET", "/nodes", user=management)
    play.ask("GET", "/users", user=management)
    play.ask("GET", "/permissions", user=management)
    play.ask("GET", "/policies", user=management)
    play.ask("GET", "/parameters", user=management)
    play.ask("GET", "/vhosts", user=management)
    play.ask("GET", "/health/checks/alarms", user=management)
    play.ask("GET", "/whoami", user=management)
    play.ask("POST", "/overview")
    play.ask("OPTIONS", "/overview", only="status")


_MESSAGE = {"properties": {"delivery_mode": 2}, "routing_key": "q", "payload": "x", "payload_encoding": "string"}

SCENARIOS = (overview, nodes, health, odds_and_ends)
