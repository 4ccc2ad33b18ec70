"""Who may do what: every endpoint, asked by every kind of user, and by nobody.

WHO is written down here a second time on purpose: what it says was compared with RabbitMQ's management plugin, and a
role that is changed in a table by mistake is noticed here.
"""

import re
import time
from collections.abc import AsyncGenerator, Callable, Iterator

import attrs
import httpx
import pytest
from starlette.types import ASGIApp

from amq.broker import Broker
from amq.config.settings import Settings
from amq.management.api import while_allowed
from amq.management.app import application
from amq.management.call import Call
from amq.management.endpoint import Endpoint
from amq.management.node import Node
from amq.management.table import ENDPOINTS
from amq.vhost.permission import Permission
from tests.management.conftest import client_of, new_node

WHO = {
    "anybody": """
        /auth  GET
        /login  POST DELETE
    """,
    "management": """
        /aliveness-test/{vhost}  GET
        /amq/exchanges/{vhost}/{exchange}/graph  GET
        /amq/exchanges/{vhost}/{exchange}/route  POST
        /amq/queues/{vhost}/{queue}/messages  GET DELETE
        /amq/queues/{vhost}/{queue}/messages/{position}  GET DELETE
        /amq/queues/{vhost}/{queue}/move  POST
        /amq/queues/{vhost}/{queue}/replay  POST
        /amq/queues/{vhost}/{queue}/unacked  GET
        /bindings  GET
        /bindings/{vhost}  GET
        /bindings/{vhost}/e/{source}/{dtype}/{destination}  GET POST
        /bindings/{vhost}/e/{source}/{dtype}/{destination}/{props}  GET DELETE
        /channels  GET
        /channels/{channel}  GET
        /cluster-name  GET
        /connections  GET
        /connections/username/{username}  GET DELETE
        /connections/{connection}  GET DELETE
        /connections/{connection}/channels  GET
        /consumers  GET
        /consumers/{vhost}  GET
        /exchanges  GET
        /exchanges/{vhost}  GET
        /exchanges/{vhost}/{exchange}  GET PUT DELETE
        /exchanges/{vhost}/{exchange}/bindings/destination  GET
        /exchanges/{vhost}/{exchange}/bindings/source  GET
        /exchanges/{vhost}/{exchange}/publish  POST
        /extensions  GET
        /health/checks/alarms  GET
        /health/checks/below-node-connection-limit  GET
        /health/checks/certificate-expiration/{within}/{unit}  GET
        /health/checks/is-in-service  GET
        /health/checks/local-alarms  GET
        /health/checks/metadata-store/initialized  GET
        /health/checks/metadata-store/initialized/with-data  GET
        /health/checks/node-is-mirror-sync-critical  GET
        /health/checks/node-is-quorum-critical  GET
        /health/checks/port-listener/{port}  GET
        /health/checks/protocol-listener/{protocol}  GET
        /health/checks/quorum-queues-without-elected-leaders/all-vhosts  GET
        /health/checks/quorum-queues-without-elected-leaders/all-vhosts/pattern/{pattern}  GET
        /health/checks/quorum-queues-without-elected-leaders/vhost/{vhost}  GET
        /health/checks/quorum-queues-without-elected-leaders/vhost/{vhost}/pattern/{pattern}  GET
        /health/checks/reached-target-cluster-size  GET
        /health/checks/ready-to-serve-clients  GET
        /health/checks/virtual-hosts  GET
        /healthchecks/node  GET
        /healthchecks/node/{node}  GET
        /operator-policies  GET
        /operator-policies/{vhost}  GET
        /overview  GET
        /policies  GET
        /policies/{vhost}  GET
        /queues  GET
        /queues/detailed  GET
        /queues/quorum/{vhost}/{queue}/status  GET
        /queues/{vhost}  GET
        /queues/{vhost}/{queue}  GET PUT DELETE
        /queues/{vhost}/{queue}/bindings  GET
        /queues/{vhost}/{queue}/contents  DELETE
        /queues/{vhost}/{queue}/get  POST
        /user-limits  GET
        /user-limits/{user}  GET
        /vhost-limits  GET
        /vhost-limits/{vhost}  GET
        /vhosts  GET
        /vhosts/{vhost}/channels  GET
        /vhosts/{vhost}/connections  GET
        /whoami  GET
    """,
    "policymaker": """
        /amq/policies/{vhost}/preview  POST
        /global-parameters  GET
        /global-parameters/{name}  GET PUT DELETE
        /parameters  GET
        /parameters/{component}  GET
        /parameters/{component}/{vhost}  GET
        /parameters/{component}/{vhost}/{name}  GET PUT DELETE
        /policies/{vhost}/{name}  GET PUT DELETE
    """,
    "monitoring": """
        /amq/logs  GET
        /amq/top/{kind}  GET
        /auth/attempts/{node}  GET DELETE
        /auth/attempts/{node}/source  GET DELETE
        /nodes  GET
        /nodes/{node}  GET
        /nodes/{node}/memory  GET
        /nodes/{node}/memory/ets  GET
        /nodes/{node}/memory/ets/relative  GET
        /nodes/{node}/memory/ets/{filter}  GET
        /nodes/{node}/memory/ets/{filter}/relative  GET
        /nodes/{node}/memory/relative  GET
    """,
    "administrator": """
        /all-configuration  GET POST
        /amq/definitions/check  POST
        /amq/disk-free-limit  PUT
        /amq/logs/level  PUT
        /amq/logs/rotate  POST
        /amq/memory-high-watermark  PUT
        /amq/operator-policies/{vhost}/preview  POST
        /amq/reload  POST
        /amq/trace/{vhost}  GET
        /auth/hash_password/{password}  GET
        /cluster-name  PUT
        /config/effective  GET
        /definitions  GET POST
        /definitions/{vhost}  GET POST
        /deprecated-features  GET
        /deprecated-features/used  GET
        /feature-flags  GET
        /feature-flags/{name}/enable  PUT
        /operator-policies/{vhost}/{name}  GET PUT DELETE
        /permissions  GET
        /permissions/{vhost}/{user}  GET PUT DELETE
        /queues/quorum/replicas/on/{node}/grow  POST
        /queues/quorum/replicas/on/{node}/shrink  DELETE
        /queues/quorum/{vhost}/{queue}/replicas/add  POST
        /queues/quorum/{vhost}/{queue}/replicas/delete  DELETE
        /queues/{vhost}/{queue}/actions  POST
        /rebalance/queues  POST
        /reset  DELETE
        /reset/{node}  DELETE
        /topic-permissions  GET
        /topic-permissions/{vhost}/{user}  GET PUT DELETE
        /topic-permissions/{vhost}/{user}/{exchange}  GET DELETE
        /user-limits/{user}/{name}  PUT DELETE
        /users  GET
        /users/bulk-delete  POST
        /users/without-permissions  GET
        /users/{user}  GET PUT DELETE
        /users/{user}/permissions  GET
        /users/{user}/topic-permissions  GET
        /vhost-limits/{vhost}/{name}  PUT DELETE
        /vhosts/{vhost}  GET PUT DELETE
        /vhosts/{vhost}/deletion/protection  POST DELETE
        /vhosts/{vhost}/permissions  GET
        /vhosts/{vhost}/start/{node}  POST
        /vhosts/{vhost}/topic-permissions  GET
    """,
}
INCLUDED = {
    "administrator": {"administrator", "monitoring", "policymaker", "management", "anybody"},
    "monitoring": {"monitoring", "management", "anybody"},
    "policymaker": {"policymaker", "management", "anybody"},
    "management": {"management", "anybody"},
}
REFUSALS = {
    "administrator": "Not administrator user",
    "monitoring": "Not monitor user",
    "policymaker": "User not authorised to access object",
}
OUTSIDE = "User not authorised to access virtual host"
PASSWORD = "secret"
# Both vhosts exist; the users have permissions in one of them only.
OURS, THEIRS = "ours", "theirs"
# Says the same to everybody: what consumes there is listed for those who may see it.
LISTS_NOTHING = ("GET", "/consumers/{vhost}")


def who() -> dict[tuple[str, str], str]:
    """The role for every method of every path."""
    return {
        (method, path): role
        for role, text in WHO.items()
        for path, *methods in map(str.split, text.strip().splitlines())
        for method in methods
    }


def furnish(broker: Broker) -> None:
    """What the tests begin with, and what an administrator's requests may have deleted."""
    for tags in [[], *[[role] for role in INCLUDED]]:
        name = tags[0] if tags else "untagged"
        if name not in broker.users:
            broker.users.add(name, PASSWORD, tags)
        broker.add_vhost(OURS).permissions.set(name, Permission(".*", ".*", ".*"))
    broker.add_vhost(THEIRS)


@pytest.fixture
def broker() -> Broker:
    settings = Settings(password_hashing_module="rabbit_password_hashing_md5")
    settings = attrs.evolve(settings, logins=attrs.evolve(settings.logins, attempts_burst=0))
    broker = Broker(settings, time.monotonic(), time.time())
    furnish(broker)
    return broker


@pytest.fixture
def app(broker: Broker) -> ASGIApp:
    node = new_node(broker)
    # What streams ends at once.
    node.stopping.set()
    return application(node)


def url(endpoint: Endpoint, vhost: str, user: str) -> str:
    """The path of an endpoint in that vhost for a user who asks about itself, with names of nothing else."""
    own = endpoint.path.replace("{vhost}", vhost).replace("{username}", user)
    return re.sub(r"\{\w+\}", "nothing", own)


async def ask(client: httpx.AsyncClient, endpoint: Endpoint, vhost: str, user: str = "nobody") -> httpx.Response:
    content = None if endpoint.method == "GET" else b"{}"
    return await client.request(endpoint.method, url(endpoint, vhost, user), content=content)


def reason(answer: httpx.Response) -> str:
    return answer.json()["reason"] if answer.status_code == 401 and answer.content else ""


def closed() -> Iterator[Endpoint]:
    return (endpoint for endpoint in ENDPOINTS if endpoint.role != "anybody")


def test_the_roles_are_those_that_were_compared_with_rabbitmqs() -> None:
    assert {(endpoint.method, endpoint.path): endpoint.role for endpoint in ENDPOINTS} == who()


@pytest.mark.parametrize("auth", [None, ("administrator", "wrong"), ("nobody", PASSWORD), ("administrator", "")])
async def test_without_the_right_password_nobody_gets_in(app: ASGIApp, auth: tuple[str, str] | None) -> None:
    async with client_of(app, auth) as client:
        let_in = [e.path for e in closed() if (await ask(client, e, OURS)).status_code != 401]
    assert let_in == []


async def test_a_user_without_a_tag_gets_nothing_even_where_it_has_permissions(app: ASGIApp) -> None:
    async with client_of(app, ("untagged", PASSWORD)) as client:
        answers = [reason(await ask(client, endpoint, OURS)) for endpoint in closed()]
    assert set(answers) == {"Not management user"}


@pytest.mark.parametrize("role", INCLUDED)
async def test_a_role_gets_what_it_includes_and_no_more(app: ASGIApp, broker: Broker, role: str) -> None:
    wrong = []
    async with client_of(app, (role, PASSWORD)) as client:
        for endpoint in ENDPOINTS:
            furnish(broker)
            said = reason(await ask(client, endpoint, OURS, role))
            allowed = endpoint.role in INCLUDED[role]
            if (allowed and said in REFUSALS.values()) or (not allowed and said != REFUSALS[endpoint.role]):
                wrong.append((endpoint.method, endpoint.path, said))
    assert wrong == []


@pytest.mark.parametrize("role", INCLUDED)
async def test_only_an_administrator_gets_into_a_vhost_without_permissions(
    app: ASGIApp, broker: Broker, role: str
) -> None:
    wrong = []
    inside = [e for e in ENDPOINTS if "{vhost}" in e.path and e.role in INCLUDED[role]]
    inside = [e for e in inside if (e.method, e.path) != LISTS_NOTHING]
    async with client_of(app, (role, PASSWORD)) as client:
        for endpoint in inside:
            furnish(broker)
            said = reason(await ask(client, endpoint, THEIRS))
            if (said in (OUTSIDE, REFUSALS["policymaker"])) == (role == "administrator"):
                wrong.append((endpoint.method, endpoint.path, said))
    assert wrong == []


async def test_a_login_by_cookie_gets_what_the_password_gets(app: ASGIApp) -> None:
    async with client_of(app, None) as client:
        client.headers["x-requested-with"] = "XMLHttpRequest"
        signed_in = await client.post("/login", json={"username": "management", "password": PASSWORD})
        assert signed_in.status_code == 200
        refused = [e for e in ENDPOINTS if e.role not in INCLUDED["management"]]
        answers = {(e.method, e.path): reason(await ask(client, e, OURS)) for e in refused}
    assert answers == {(e.method, e.path): REFUSALS[e.role] for e in refused}


async def count() -> AsyncGenerator[bytes, None]:
    for number in range(10):
        yield b"%d" % number


@pytest.mark.parametrize(
    "change",
    [
        lambda broker: broker.users.delete("guest"),
        lambda broker: broker.users.set_password("guest", "another"),
        lambda broker: broker.users.set_tags("guest", ["management"]),
    ],
)
async def test_a_stream_tells_nothing_more_to_who_may_not_follow_it_any_more(
    node: Node, change: Callable[[Broker], None]
) -> None:
    (endpoint,) = [endpoint for endpoint in ENDPOINTS if endpoint.path == "/amq/logs" and endpoint.method == "GET"]
    user = node.broker.users.get("guest")
    assert user is not None
    told = while_allowed(Call(node, user, False, "", False, "GET", {}, {}, {}, b""), endpoint, count())
    # What is no concern of this.
    node.broker.users.set_limits("guest", {"max-channels": 5})
    assert [await told.__anext__(), await told.__anext__()] == [b"0", b"1"]
    change(node.broker)
    assert [event async for event in told] == []
