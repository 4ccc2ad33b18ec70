"""What operators set: vhosts, users, permissions, policies, parameters, limits, definitions."""

from typing import Any

from tests.conformance_http.play import Play

ALL: dict[str, str] = {"configure": ".*", "write": ".*", "read": ".*"}


def vhosts(play: Play) -> None:
    for body in ({}, {}, {"description": "d", "tags": "a,b"}, {"tracing": True}, {"tracing": False}):
        play.ask("PUT", "/vhosts/conf-v", body)
    play.leaves("/vhosts/conf-v")
    play.figures()
    play.ask("GET", "/vhosts/conf-v")
    play.ask("GET", "/vhosts?columns=name,description,tags,tracing", only="shape")
    play.ask("GET", "/vhosts/conf-v/permissions")
    play.ask("GET", "/vhosts/conf-v/topic-permissions")
    play.ask("GET", "/vhosts/none")
    play.ask("GET", "/vhosts/none/permissions")
    play.ask("PUT", "/vhosts/conf-v", raw=b"bad")
    play.ask("DELETE", "/vhosts/conf-v")
    play.ask("DELETE", "/vhosts/conf-v")


def users(play: Play) -> None:
    for name in ("conf-u", "conf-h", "conf-n"):
        play.leaves(f"/users/{name}")
    play.ask("PUT", "/users/conf-u", {"password": "x", "tags": "management,monitoring"})
    play.ask("PUT", "/users/conf-u", {"password": "y", "tags": "management"})
    play.ask("GET", "/users/conf-u")
    hashed = {"password_hash": "x3vmPIvXzN7XjyEY9rrY4cATK2rbLgmjqTXhDlSRN2x8D7/M", "tags": ""}
    play.ask("PUT", "/users/conf-h", {**hashed, "hashing_algorithm": "rabbit_password_hashing_sha256"})
    play.ask("PUT", "/users/conf-n", {"password_hash": "", "tags": "administrator"})
    play.ask("PUT", "/users/conf-bad", {"password": "x"})
    play.ask("PUT", "/users/conf-bad", {"tags": "management"})
    play.ask("PUT", "/users/conf-bad", {"password_hash": "not base64", "tags": ""})
    play.ask("PUT", "/users/conf-bad", {**hashed, "hashing_algorithm": "rot13"})
    play.ask("PUT", "/users/conf-bad", raw=b"bad")
    play.ask("GET", "/users/conf-h")
    play.ask("GET", "/users/conf-n")
    play.ask("GET", "/users/none")
    play.ask("GET", "/users/conf-u/permissions")
    play.ask("GET", "/users/conf-u/topic-permissions")
    play.ask("GET", "/users/none/permissions")
    play.ask("GET", "/users", only="shape")
    play.ask("GET", "/users/without-permissions", only="shape")
    play.ask("GET", "/whoami")
    play.ask("POST", "/users/bulk-delete", {"users": ["conf-h", "conf-n"]})
    play.ask("GET", "/users/conf-h")
    play.ask("DELETE", "/users/conf-u")
    play.ask("DELETE", "/users/conf-u")


def permissions(play: Play) -> None:
    vhost = play.vhost("conf-perm")
    play.user("conf-perm", "management")
    here = f"/permissions/{vhost}/conf-perm"
    play.ask("GET", here)
    play.ask("PUT", here, ALL)
    play.ask("PUT", here, {**ALL, "read": "^r"})
    play.ask("GET", here)
    play.ask("PUT", here, {"configure": ".*"})
    play.ask("PUT", here, {**ALL, "read": "("})
    play.ask("PUT", f"/permissions/{vhost}/none", ALL)
    play.ask("PUT", "/permissions/nowhere/conf-perm", ALL)
    play.ask("GET", f"/vhosts/{vhost}/permissions")
    play.ask("GET", "/users/conf-perm/permissions")
    play.ask("GET", "/permissions", only="shape")
    topics = f"/topic-permissions/{vhost}/conf-perm"
    play.ask("GET", topics)
    play.ask("PUT", topics, {"exchange": "amq.topic", "write": "^a", "read": ".*"})
    play.ask("PUT", topics, {"exchange": "amq.topic", "write": "^b", "read": ".*"})
    play.ask("PUT", topics, {"exchange": "amq.topic"})
    play.ask("PUT", topics, {"exchange": "amq.topic", "write": "(", "read": ".*"})
    play.ask("GET", topics)
    play.ask("GET", f"/vhosts/{vhost}/topic-permissions")
    play.ask("GET", "/users/conf-perm/topic-permissions")
    play.ask("GET", "/topic-permissions", only="shape")
    play.ask("DELETE", f"{topics}/amq.topic")
    play.ask("DELETE", topics)
    play.ask("DELETE", here)
    play.ask("DELETE", here)


def policies(play: Play) -> None:
    vhost = play.vhost("conf-pol")
    play.set("PUT", f"/queues/{vhost}/aq", {"arguments": {"x-message-ttl": 5000}})
    play.set("PUT", f"/exchanges/{vhost}/ax", {})
    here = f"/policies/{vhost}/p"
    good: dict[str, Any] = {"pattern": "^a", "definition": {"max-length": 5}, "priority": 1, "apply-to": "all"}
    play.ask("PUT", here, good)
    play.ask("PUT", here, {"pattern": "^a", "definition": {"message-ttl": 9000, "max-length": 10}})
    play.ask("GET", here)
    play.ask("GET", f"/policies/{vhost}")
    play.ask("GET", "/policies", only="shape")
    for change in (
        {"pattern": "("},
        {"pattern": 5},
        {"definition": {}},
        {"definition": {"nope": 1}},
        {"definition": {"max-length": -1}},
        {"definition": {"max-length": "5"}},
        {"definition": 5},
        {"priority": "high"},
        {"apply-to": "everything"},
    ):
        play.ask("PUT", f"/policies/{vhost}/bad", {**good, **change})
    for body in ({}, {"pattern": "^a"}, {"definition": {"max-length": 5}}):
        play.ask("PUT", f"/policies/{vhost}/bad", body)
    play.ask("PUT", f"/policies/{vhost}/bad", raw=b"bad")
    play.ask("PUT", "/policies/nowhere/p", good)
    operator = f"/operator-policies/{vhost}/o"
    play.ask("PUT", operator, {"pattern": "^a", "definition": {"max-length": 3}, "apply-to": "queues"})
    play.ask("PUT", operator, {"pattern": "^a", "definition": {"dead-letter-exchange": "x"}})
    play.ask("GET", operator)
    play.ask("GET", f"/operator-policies/{vhost}")
    for tag in ("management", "monitoring", "policymaker"):
        user = play.user("conf-pol", tag)
        play.set("PUT", f"/permissions/{vhost}/conf-pol", {"configure": ".*", "write": ".*", "read": ".*"})
        for path in (here, operator, f"/policies/{vhost}", f"/operator-policies/{vhost}"):
            play.ask("GET", path, user=user)
    play.figures()
    play.ask("GET", f"/queues/{vhost}/aq")
    play.ask("GET", f"/exchanges/{vhost}/ax")
    play.ask("GET", f"/queues/{vhost}?disable_stats=true&enable_queue_totals=true")
    for path in (here, here, operator, operator):
        play.ask("DELETE", path)
    play.ask("GET", here)


def parameters(play: Play) -> None:
    vhost = play.vhost("conf-par")
    here = f"/parameters/vhost-limits/{vhost}/limits"
    play.ask("PUT", here, {"value": {"max-queues": 10}})
    play.ask("GET", here)
    play.ask("GET", f"/parameters/vhost-limits/{vhost}")
    play.ask("GET", "/parameters", only="shape")
    play.ask("PUT", f"/parameters/nonsense/{vhost}/p", {"value": 1})
    play.ask("PUT", here, {})
    play.ask("PUT", here, raw=b"bad")
    play.ask("GET", f"/parameters/vhost-limits/{vhost}/none")
    play.ask("GET", "/parameters/vhost-limits/nowhere")
    play.ask("DELETE", here)
    play.ask("DELETE", here)
    play.leaves("/global-parameters/conf-g")
    play.ask("PUT", "/global-parameters/conf-g", {"value": {"a": [1, True]}})
    play.ask("PUT", "/global-parameters/conf-g", {"value": 5})
    play.ask("GET", "/global-parameters/conf-g")
    play.ask("GET", "/global-parameters", only="shape")
    play.ask("PUT", "/global-parameters/conf-h", {})
    play.ask("DELETE", "/global-parameters/conf-g")
    play.ask("DELETE", "/global-parameters/conf-g")


def limits(play: Play) -> None:
    vhost = play.vhost("conf-lim")
    user, _ = play.user("conf-lim", "management")
    here = f"/vhost-limits/{vhost}"
    play.ask("GET", here)
    play.ask("PUT", f"{here}/max-queues", {"value": 1})
    play.ask("PUT", f"{here}/max-connections", {"value": 5})
    play.ask("PUT", f"{here}/max-queues", {"value": 2})
    play.ask("PUT", f"{here}/nonsense", {"value": 1})
    play.ask("PUT", f"{here}/max-queues", {"value": "x"})
    play.ask("PUT", f"{here}/max-queues", {})
    play.ask("GET", here)
    play.set("PUT", f"/queues/{vhost}/a", {})
    play.set("PUT", f"/queues/{vhost}/b", {})
    play.ask("PUT", f"/queues/{vhost}/c", {})
    play.ask("DELETE", f"{here}/max-queues")
    play.ask("DELETE", f"{here}/max-queues")
    play.ask("GET", here)
    play.ask("GET", "/vhost-limits/nowhere")
    play.ask("PUT", "/vhost-limits/nowhere/max-queues", {"value": 1})
    there = f"/user-limits/{user}"
    play.ask("GET", there)
    play.ask("PUT", f"{there}/max-connections", {"value": 5})
    play.ask("PUT", f"{there}/max-channels", {"value": 6})
    play.ask("PUT", f"{there}/nonsense", {"value": 6})
    play.ask("PUT", f"{there}/max-channels", {"value": "x"})
    play.ask("GET", there)
    play.ask("GET", f"/users/{user}")
    play.ask("DELETE", f"{there}/max-channels")
    play.ask("GET", there)
    play.ask("GET", "/user-limits/none")


def definitions(play: Play) -> None:
    vhost = play.vhost("conf-def")
    play.set("PUT", f"/queues/{vhost}/q", {"durable": True, "arguments": {"x-max-length": 5}})
    play.set("PUT", f"/queues/{vhost}/transient", {})
    play.set("PUT", f"/exchanges/{vhost}/x", {"durable": True, "type": "topic"})
    play.set("POST", f"/bindings/{vhost}/e/x/q/q", {"routing_key": "k.#", "arguments": {"a": 1}})
    play.set("PUT", f"/policies/{vhost}/p", {"pattern": "^q", "definition": {"max-length": 3}})
    play.ask("GET", f"/definitions/{vhost}")
    document = play.get(f"/definitions/{vhost}")
    play.ask("GET", "/definitions", only="shape")
    play.set("DELETE", f"/queues/{vhost}/q")
    play.set("DELETE", f"/exchanges/{vhost}/x")
    play.set("DELETE", f"/policies/{vhost}/p")
    play.set("POST", f"/definitions/{vhost}", document)
    play.ask("GET", f"/definitions/{vhost}")
    play.ask("POST", f"/definitions/{vhost}", {})
    play.ask("POST", f"/definitions/{vhost}", raw=b"bad")
    play.ask("POST", "/definitions", {"queues": [{"name": "n", "vhost": "nowhere", "durable": True}]}, only="status")
    play.ask("POST", "/definitions/nowhere", {})
    play.ask("GET", "/definitions/nowhere")


SCENARIOS = (vhosts, users, permissions, policies, parameters, limits, definitions)
