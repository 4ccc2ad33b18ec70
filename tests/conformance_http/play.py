"""Plays a scenario with a server: requests whose answers are noted, and AMQP clients where there must be some."""

import json
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import attrs
import httpx
import pika
from pika.adapters.blocking_connection import BlockingConnection

from tests.conformance_http.answers import HEADERS, in_order, shape, steady

# How long figures may take to show, in s: RabbitMQ's are up to five seconds old.
PATIENCE = 25.0
POLL = 0.25


@attrs.frozen
class Target:
    """Where a server listens: HTTP and AMQP, both on loopback. Its figures are up to `lag` s old."""

    http: int
    amqp: int
    lag: float


def q(name: str) -> str:
    """A name as a segment of a path."""
    return quote(name, safe="")


class Play:
    """One server while a scenario is played with it. `transcript` holds what it answered, in order."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.transcript: list[dict[str, Any]] = []
        self._client = httpx.Client(base_url=f"http://127.0.0.1:{target.http}/api", timeout=30)
        self._connections: list[BlockingConnection] = []
        self._left: list[str] = []

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        raw: bytes | None = None,
        user: tuple[str, str] | None = ("guest", "guest"),
        headers: dict[str, str] | None = None,
        only: str = "",
    ) -> httpx.Response:
        """A request whose answer is compared; `only` "shape": names and types, "status": nothing else, "items": the
        items of a list, whatever their order.
        """
        response = self._send(method, path, body, raw, user, headers)
        said: dict[str, Any] = {"ask": steady(f"{method} {path}" + self._told(body, raw, user))}
        said["status"] = response.status_code
        if only != "status":
            said["headers"] = {name: response.headers[name] for name in HEADERS if name in response.headers}
            value = _value(response)
            said["body"] = shape(value) if only == "shape" else steady(value)
            if only == "items":
                said["body"] = in_order(said["body"])
        self.transcript.append(said)
        return response

    def set(self, method: str, path: str, body: Any = None) -> httpx.Response:
        """A request that must work and is not compared."""
        response = self._send(method, path, body, None, ("guest", "guest"), None)
        assert response.is_success, f"{method} {path}: {response.status_code} {response.text}"
        return response

    def get(self, path: str) -> Any:
        """The JSON of an answer that is not compared."""
        return self.set("GET", path).json()

    def vhost(self, name: str) -> str:
        """A new vhost in which guest may do everything; returns it as a segment of a path."""
        self.set("PUT", f"/vhosts/{q(name)}", {})
        self.leaves(f"/vhosts/{q(name)}")
        self.set("PUT", f"/permissions/{q(name)}/guest", {"configure": ".*", "write": ".*", "read": ".*"})
        return q(name)

    def user(self, name: str, tags: str) -> tuple[str, str]:
        """A new user; returns name and password."""
        self.set("PUT", f"/users/{q(name)}", {"password": "secret", "tags": tags})
        self.leaves(f"/users/{q(name)}")
        return name, "secret"

    def leaves(self, path: str) -> None:
        """Something is there that is deleted after the scenario."""
        self._left.append(path)

    def connect(
        self, vhost: str, name: str = "conformance", user: tuple[str, str] = ("guest", "guest"), **properties: Any
    ) -> BlockingConnection:
        """An AMQP connection; further `properties` are those of the client."""
        parameters = pika.ConnectionParameters(
            "127.0.0.1",
            self.target.amqp,
            vhost,
            pika.PlainCredentials(*user),
            heartbeat=60,
            client_properties={"connection_name": name, **properties},
        )
        connection = BlockingConnection(parameters)
        self._connections.append(connection)
        return connection

    def until(self, path: str, satisfied: Callable[[Any], bool]) -> None:
        """Wait until an answer is as it should be; clients go on meanwhile."""
        end = time.monotonic() + PATIENCE
        while True:
            answer = self._send("GET", path, None, None, ("guest", "guest"), None)
            if answer.is_success and satisfied(answer.json()):
                return
            assert time.monotonic() < end, f"{path} still is {answer.text}"
            self.pause(POLL)

    def figures(self) -> None:
        """Wait until every figure is up to date."""
        self.pause(self.target.lag)

    def pause(self, seconds: float) -> None:
        """Let the clients live for some time."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for connection in self._connections:
                if connection.is_open:
                    connection.process_data_events(0.01)
            time.sleep(0.05)

    def end(self) -> None:
        """Close the clients and delete what the scenario has left behind."""
        for connection in self._connections:
            if connection.is_open:
                connection.close()
        for path in reversed(self._left):
            self._send("DELETE", path, None, None, ("guest", "guest"), None)
        self._client.close()

    def _send(
        self,
        method: str,
        path: str,
        body: Any,
        raw: bytes | None,
        user: tuple[str, str] | None,
        headers: dict[str, str] | None,
    ) -> httpx.Response:
        content = raw if raw is not None else None if body is None else json.dumps(body).encode()
        auth = httpx.BasicAuth(*user) if user is not None else None
        headers = {"content-type": "application/json", **(headers or {})}
        try:
            return self._client.request(method, path, content=content, auth=auth, headers=headers)
        except httpx.RemoteProtocolError:
            # After some of its refusals RabbitMQ drops the connection just when it is used again.
            return self._client.request(method, path, content=content, auth=auth, headers=headers)

    @staticmethod
    def _told(body: Any, raw: bytes | None, user: tuple[str, str] | None) -> str:
        told = "" if body is None and raw is None else f" {raw.decode() if raw is not None else json.dumps(body)}"
        return told if user == ("guest", "guest") else f"{told} as {user[0] if user is not None else 'nobody'}"


def _value(response: httpx.Response) -> Any:
    if not response.content:
        return None
    try:
        return response.json()
    except ValueError:
        return response.text
