"""Passwords of a session are nowhere in what a broker emits: not in its log, its answers, its figures or its exports.

A process with everything logged that there is, and the objects of one in memory, are searched for every password that
was used, right or wrong, as text and as the forms in which clients send it.
"""

import base64
import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import httpx
import pika
import pytest

from amq.auth.credentials import Credentials
from amq.auth.passwords import hash_password
from amq.config.settings import Settings
from tests.harness.dialogue import Dialogue, enter, new_broker
from tests.harness.process import BrokerProcess

DEFAULT = "default-Secret-0"
APP = "app-Secret-1"
NEW = "new-Secret-2"
WRONG = "wrong-Secret-3"
IMPORTED = "imported-Secret-4"
UNUSED = "unused-Secret-5"
KEY = "key-Secret-6"
SECRETS = (DEFAULT, APP, NEW, WRONG, IMPORTED, UNUSED, KEY)


def forms(secret: str) -> list[bytes]:
    """How a secret may look."""
    plain = secret.encode()
    found = [plain, quote(secret, safe="").encode(), base64.b64encode(plain).rstrip(b"=")]
    # In the middle of base64 it depends on what stands before it.
    found += [base64.b64encode(b" " * shift + plain)[4:-4] for shift in (1, 2)]
    return [*found, plain.hex().encode()]


def told(emitted: bytes, *besides: str) -> list[str]:
    """The secrets that are in it."""
    return [secret for secret in SECRETS if secret not in besides and any(form in emitted for form in forms(secret))]


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[BrokerProcess]:
    environment = {"AMQ_DEFAULT_PASS": DEFAULT, "AMQ_ANONYMOUS_LOGIN_PASS": UNUSED, "AMQ_SSL_OPTIONS__PASSWORD": KEY}
    broker = BrokerProcess(
        tmp_path, data=tmp_path / "data", management=True, options=("--log-level", "debug"), environment=environment
    )
    broker.start()
    yield broker
    broker.kill()


def connect(broker: BrokerProcess, user: str, password: str) -> None:
    """A login over AMQP, which may be refused."""
    parameters = pika.ConnectionParameters(
        broker.host, broker.port, credentials=pika.PlainCredentials(user, password), connection_attempts=1
    )
    with contextlib.suppress(pika.exceptions.AMQPError):
        connection = pika.BlockingConnection(parameters)
        channel = connection.channel()
        channel.queue_declare("q")
        connection.close()


REQUESTS = [
    ("PUT", "/users/app", {"password": APP, "tags": "management"}),
    ("PUT", "/permissions/%2F/app", {"configure": ".*", "write": ".*", "read": ".*"}),
    ("PUT", "/users/app", {"password": NEW, "tags": "management"}),
    ("PUT", "/users/other", {"password": WRONG, "tags": 5}),
    ("PUT", "/users/other", {"password": WRONG}),
    ("PUT", "/users/other", {"password": WRONG, "password_hash": "x", "tags": ""}),
    ("POST", "/definitions", {"users": [{"name": "imported", "password": IMPORTED, "tags": ""}]}),
    ("POST", "/definitions", {"users": [{"name": "", "password": WRONG, "tags": ""}]}),
    ("POST", "/definitions", {"users": [{"name": "x", "password": WRONG, "hashing_algorithm": "none", "tags": ""}]}),
    ("GET", f"/auth/hash_password/{UNUSED}", None),
    ("PUT", "/parameters/shovel/%2F/s", {"value": {"src-uri": f"amqp://app:{APP}@remote"}}),
]
LISTS = [
    "/overview",
    "/users",
    "/users/app",
    "/whoami",
    "/connections",
    "/channels",
    "/nodes",
    "/definitions",
    "/definitions/%2F",
    "/permissions",
    "/auth/attempts/{node}",
    "/auth/attempts/{node}/source",
    "/openapi.json",
]


def test_a_process_that_logs_all_it_can_tells_no_password(broker: BrokerProcess) -> None:
    emitted: list[bytes] = []
    base = f"http://127.0.0.1:{broker.http_port}/api"
    with httpx.Client(base_url=base, auth=("guest", DEFAULT)) as client:
        node = client.get("/overview").json()["node"]
        for verb, path, body in REQUESTS:
            answer = client.request(verb, path, json=body)
            emitted.append(answer.content + repr(dict(answer.headers)).encode())
        for user, password in (("app", NEW), ("app", WRONG), ("nobody", APP), ("guest", DEFAULT)):
            connect(broker, user, password)
            emitted.append(httpx.get(f"{base}/whoami", auth=(user, password)).content)
        emitted.append(client.post("/users/app", content=f'{{"password": "{WRONG}"'.encode()).content)
        emitted.append(client.put("/users/app", content=f'{{"password": "{WRONG}"'.encode()).content)
        for path in LISTS:
            emitted.append(client.get(path.format(node=node)).content)
        assert client.get("/users").json()[0]["password_hash"]
        exported = client.get("/definitions").json()
        assert {user["name"] for user in exported["users"]} == {"guest", "app", "imported"}
    for path in ("/metrics", "/metrics/per-object", "/metrics/detailed?family=auth_attempt_detailed_metrics"):
        emitted.append(httpx.get(f"http://127.0.0.1:{broker.figures_port}{path}").content)
    broker.stop()
    log = broker.output().encode()
    assert b"PLAIN login refused" in log
    assert b"HTTP access denied: user 'app' - invalid credentials" in log
    assert told(log) == []
    assert told(b"\n".join(emitted)) == []
    # Nor on disk, but as hashes.
    kept = b"".join(path.read_bytes() for path in (broker.folder / "data").rglob("*") if path.is_file())
    assert told(kept) == []


def test_objects_do_not_show_passwords() -> None:
    settings = Settings(default_pass=DEFAULT)
    broker = new_broker(default_pass=DEFAULT)
    broker.users.add("app", APP)
    broker.users.set_password("app", NEW, "argon2id")
    client = Dialogue(broker)
    client.greet()
    client.start_ok("app", NEW)
    shown = [
        settings,
        broker.users.get("app"),
        Credentials("app", APP.encode()),
        broker.deciding,
        client.connection.handshake.login,
        enter(broker, password=DEFAULT).connection.session,
        broker.log,
    ]
    stored = broker.users.get("app")
    assert stored is not None
    text = "\n".join(map(repr, shown))
    assert told(text.encode()) == []
    assert stored.password_hash not in text


@pytest.mark.parametrize("secret", SECRETS)
def test_the_search_finds_what_it_looks_for(secret: str) -> None:
    basic = base64.b64encode(f"app:{secret}".encode())
    for emitted in (secret.encode(), basic, json.dumps({"p": secret}).encode(), secret.encode().hex().encode()):
        assert told(b"... " + emitted + b" ...") == [secret]
    assert told(hash_password(secret.encode()).encode()) == []
