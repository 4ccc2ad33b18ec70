"""What each kind of user gets to see and may do."""

from tests.conformance_http.play import Play
from tests.conformance_http.scenarios_clients import name_of
from tests.conformance_http.scenarios_messages import GETTING, MESSAGE

KINDS = ("administrator", "monitoring", "policymaker", "management", "")


def without_permissions(play: Play) -> None:
    """Users of every kind, none of whom may enter the vhost."""
    vhost = play.vhost("conf-access")
    channel = play.connect("conf-access").channel()
    channel.queue_declare("w")
    channel.basic_consume("w", lambda *_: None)
    channel.exchange_declare("x")
    name = name_of(play, "conf-access")
    play.figures()
    for tag in KINDS:
        user = play.user(f"conf-{tag or 'untagged'}", tag)
        for path in (
            f"/queues/{vhost}?columns=name",
            f"/queues/{vhost}/w?columns=name",
            f"/exchanges/{vhost}?columns=name",
            f"/bindings/{vhost}?columns=source",
            f"/vhosts/{vhost}/connections?columns=user",
            f"/vhosts/{vhost}/channels?columns=user",
            f"/connections/{name}/channels?columns=user",
            f"/consumers/{vhost}?columns=queue",
        ):
            play.ask("GET", path, user=user)
        for path in ("/connections/username/guest", f"/connections/{name}", f"/channels/{name}%20(1)"):
            play.ask("GET", path, user=user, only="status")
        play.ask("PUT", f"/queues/{vhost}/zz", {}, user=user)
        play.ask("DELETE", f"/queues/{vhost}/w", user=user)
        play.ask("DELETE", f"/queues/{vhost}/w/contents", user=user)
        play.ask("POST", f"/queues/{vhost}/w/get", GETTING, user=user)
        play.ask("POST", f"/exchanges/{vhost}/x/publish", MESSAGE, user=user)
        play.ask("POST", f"/queues/{vhost}/w/actions", {"action": "sync"}, user=user)
        play.ask("GET", "/queues/nowhere", user=user)
        if tag != "administrator":
            play.ask("DELETE", f"/connections/{name}", user=user)
    play.ask("GET", "/queues", user=None)
    play.ask("GET", "/queues", user=("guest", "wrong"))
    play.ask("GET", "/queues", user=("nobody", "wrong"))


def with_some_permissions(play: Play) -> None:
    vhost = play.vhost("conf-some")
    user = play.user("conf-some", "management")
    play.set("PUT", f"/permissions/{vhost}/conf-some", {"configure": "^c", "write": "^w", "read": "^r"})
    play.connect("conf-some").channel()
    for name in ("w", "r", "c"):
        play.set("PUT", f"/queues/{vhost}/{name}", {})
        play.set("PUT", f"/exchanges/{vhost}/{name}", {})
    play.figures()
    for path in (
        f"/queues/{vhost}?columns=name",
        "/queues?columns=name",
        "/connections",
        "/channels",
        "/consumers",
        f"/vhosts/{vhost}/connections",
        f"/consumers/{vhost}",
    ):
        play.ask("GET", path, user=user)
    for name in ("w", "r", "c", "czz"):
        play.ask("PUT", f"/queues/{vhost}/{name}", {}, user=user)
        play.ask("PUT", f"/exchanges/{vhost}/{name}", {}, user=user)
        play.ask("POST", f"/bindings/{vhost}/e/r/q/{name}", {}, user=user)
        play.ask("POST", f"/queues/{vhost}/{name}/get", GETTING, user=user)
        play.ask("POST", f"/exchanges/{vhost}/{name}/publish", MESSAGE, user=user)
        play.ask("DELETE", f"/queues/{vhost}/{name}/contents", user=user)
        play.ask("DELETE", f"/queues/{vhost}/{name}", user=user)
        play.ask("DELETE", f"/exchanges/{vhost}/{name}", user=user)
    play.ask("PUT", f"/queues/{vhost}/cdlx", {"arguments": {"x-dead-letter-exchange": "r"}}, user=user)


SCENARIOS = (without_permissions, with_some_permissions)
