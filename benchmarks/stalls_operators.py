"""Events of stalls.py: what operators ask for, and very many connections."""

import base64
import http.client
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

from raw_client import Client
from stalls_stage import Event, Stage, declare, filled, until


def document(messages: int) -> dict[str, Any]:
    """Definitions of so many things."""
    queues = [
        {"name": f"d{number}", "vhost": "/", "durable": True, "auto_delete": False, "arguments": {}}
        for number in range(messages // 2)
    ]
    bindings = [
        {
            "source": "amq.direct",
            "vhost": "/",
            "destination": f"d{number}",
            "destination_type": "queue",
            "routing_key": f"k{number}",
            "arguments": {},
        }
        for number in range(messages // 2)
    ]
    return {"queues": queues, "bindings": bindings}


def imported(stage: Stage) -> Iterator[None]:
    """10,000 definitions are imported over HTTP."""
    octets = json.dumps(document(10_000)).encode()
    yield
    stage.send("POST", "/api/definitions", octets)


def imported_by_command(stage: Stage) -> Iterator[None]:
    """10,000 definitions are imported with the command."""
    octets = json.dumps(document(10_000)).encode()
    environment = {**os.environ, "AMQ_URL": f"http://guest:guest@127.0.0.1:{stage.web}"}
    yield
    command = [sys.executable, "-m", "amq", "definitions", "import", "-"]
    subprocess.run(command, input=octets, env=environment, check=True, stdout=subprocess.DEVNULL)


def listed(stage: Stage) -> Iterator[None]:
    """Lists of 20,000 queues and bindings, and all definitions, are asked for."""
    stage.ask("POST", "/api/definitions", document(40_000))
    time.sleep(2)
    yield
    for path in ("queues", "bindings", "definitions", "exchanges", "queues?page=1&page_size=500&sort=name"):
        stage.ask("GET", f"/api/{path}")


def large_document(stage: Stage) -> Iterator[None]:
    """A JSON document of 10 MB is checked, and messages of 4 MB are published and fetched over HTTP."""
    octets = json.dumps(document(80_000)).encode()
    declare(stage.client(), "q")
    payload = {"properties": {}, "routing_key": "q", "payload": "x" * (1 << 22), "payload_encoding": "string"}
    wanted = {"count": 10, "ackmode": "ack_requeue_false", "encoding": "auto"}
    yield
    stage.send("POST", "/api/amq/definitions/check", octets)
    for _ in range(2):
        stage.ask("POST", "/api/exchanges/%2F/amq.default/publish", payload)
    stage.ask("POST", "/api/queues/%2F/q/get", wanted)


def moved(durable: bool) -> Event:
    """50,000 messages are moved over HTTP."""

    def event(stage: Stage) -> Iterator[None]:
        client = filled(stage, 50_000, durable)
        declare(client, "there", durable)
        yield
        stage.ask("POST", "/api/amq/queues/%2F/long/move", {"to": {"queue": "there"}})
        until(client, "there", 50_000)

    return event


def logins(stage: Stage) -> Iterator[None]:
    """Twenty users with new passwords come in."""
    stage.ask("PUT", "/api/users/new", {"password": "secret", "tags": "administrator"})
    yield
    authorization = "Basic " + base64.b64encode(b"new:secret").decode()
    for _ in range(20):
        connection = http.client.HTTPConnection("127.0.0.1", stage.web, timeout=120)
        connection.request("GET", "/api/whoami", headers={"authorization": authorization})
        assert connection.getresponse().status == 200
        connection.close()


def connected(stage: Stage) -> Iterator[None]:
    """1,000 connections are opened at once, and closed at once."""
    clients: list[Client] = []
    yield

    def some() -> None:
        clients.extend([stage.client() for _ in range(100)])

    threads = [threading.Thread(target=some) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for client in clients:
        client.close()
