"""HTTP as a broker's process serves it: where it listens, whom it lets in, what it bears, how it ends."""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from tempfile import gettempdir

import httpx
import pytest
import trustme

from tests.harness.process import BrokerFailed, BrokerProcess, free_port, wait_for_port

GUEST = ("guest", "guest")
SECONDS = 20.0


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[BrokerProcess]:
    broker = BrokerProcess(tmp_path, data=tmp_path / "data", management=True)
    broker.start()
    yield broker
    broker.kill()
    assert "Traceback" not in broker.output()


@pytest.fixture
def make(tmp_path: Path) -> Iterator[list[BrokerProcess]]:
    """Brokers that a test appends here are killed after it."""
    made: list[BrokerProcess] = []
    yield made
    for broker in made:
        broker.kill()
        assert "Traceback" not in broker.output()


def whoami(port: int, **options: object) -> httpx.Response:
    return httpx.get(f"http://127.0.0.1:{port}/api/whoami", auth=GUEST, timeout=SECONDS, **options)  # type: ignore[arg-type]


def said(port: int, octets: bytes) -> bytes:
    """All that the server answers to these octets before it closes the connection."""
    with socket.create_connection(("127.0.0.1", port), SECONDS) as connection:
        connection.sendall(octets)
        answer = b""
        while chunk := connection.recv(65536):
            answer += chunk
        return answer


# -- where it listens --


def test_the_api_is_served_next_to_amqp_and_the_banner_says_where(broker: BrokerProcess) -> None:
    answer = whoami(broker.http_port)
    assert answer.json() == {"name": "guest", "tags": ["administrator"]}
    assert "server" not in answer.headers


def test_a_port_that_is_taken_is_named_with_its_key(tmp_path: Path, make: list[BrokerProcess]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        broker = BrokerProcess(tmp_path, management=True, environment={"AMQ_MANAGEMENT__TCP__PORT": str(port)})
        make.append(broker)
        with pytest.raises(BrokerFailed, match="status 2"):
            broker.start()
    problem = f"amq: cannot listen on 127.0.0.1:{port}: the port is in use (management.tcp.port, management.ssl.port)"
    assert problem in broker.output().splitlines()


def test_a_second_broker_on_the_machine_serves_amqp_without_the_ports_that_nobody_asked_for(
    tmp_path: Path, make: list[BrokerProcess]
) -> None:
    held = None
    # Whoever else has it will do, too.
    with contextlib.suppress(OSError):
        held = socket.create_server(("127.0.0.1", 15672))
    try:
        environment = {"AMQ_MANAGEMENT__ENABLED": "true", "AMQ_PROMETHEUS__ENABLED": "false"}
        broker = BrokerProcess(tmp_path, data=tmp_path / "data", environment=environment)
        make.append(broker)
        broker.start()
        assert "cannot listen on 127.0.0.1:15672: the port is in use" in broker.output()
        with httpx.Client(transport=httpx.HTTPTransport(uds=str(tmp_path / "data" / "http.sock"))) as owner:
            assert owner.get("http://amq/api/whoami").status_code == 200
    finally:
        if held is not None:
            held.close()


def test_what_is_not_enabled_is_not_served(tmp_path: Path, make: list[BrokerProcess]) -> None:
    broker = BrokerProcess(tmp_path, data=tmp_path / "data")
    make.append(broker)
    broker.start()
    assert "  api" not in broker.output()
    assert not (tmp_path / "data" / "http.sock").exists()


def test_without_the_extra_the_broker_serves_amqp_and_says_how_to_get_the_rest(
    tmp_path: Path, make: list[BrokerProcess]
) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import importlib.util\n"
        "find = importlib.util.find_spec\n"
        "importlib.util.find_spec = lambda name, package=None: None if name == 'hypercorn' else find(name, package)\n"
    )
    broker = BrokerProcess(
        tmp_path,
        management=True,
        environment={"PYTHONPATH": f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"},
    )
    make.append(broker)
    broker.start()
    assert "hypercorn not installed; `pip install 'amq[management]'` brings what is needed" in broker.output()
    assert broker.stop() == 0


def test_tls_is_served_with_the_certificate_of_management_ssl(tmp_path: Path, make: list[BrokerProcess]) -> None:
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    certificate.private_key_and_cert_chain_pem.write_to_path(str(tmp_path / "server.pem"))
    port = free_port()
    (tmp_path / "amq.conf").write_text(
        f"management.ssl.port = {port}\nmanagement.ssl.certfile = {tmp_path}/server.pem\n"
        f"management.ssl.keyfile = {tmp_path}/server.pem\nprometheus.enabled = false\n"
    )
    broker = BrokerProcess(tmp_path, options=("--config", "amq.conf"), environment={"AMQ_MANAGEMENT__ENABLED": "true"})
    make.append(broker)
    broker.start()
    assert broker.http_port == port
    context = ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))
    answer = httpx.get(f"https://127.0.0.1:{port}/api/whoami", auth=GUEST, verify=context)
    assert answer.status_code == 200
    with pytest.raises(httpx.TransportError):
        httpx.get(f"http://127.0.0.1:{port}/api/whoami", auth=GUEST)
    assert broker.stop() == 0


def test_a_wrong_certificate_is_named_by_its_own_key(tmp_path: Path, make: list[BrokerProcess]) -> None:
    (tmp_path / "text.pem").write_text("no certificate")
    path = tmp_path / "text.pem"
    (tmp_path / "amq.conf").write_text(f"management.ssl.certfile = {path}\nmanagement.ssl.keyfile = {path}\n")
    broker = BrokerProcess(tmp_path, options=("--config", "amq.conf"), environment={"AMQ_MANAGEMENT__ENABLED": "true"})
    make.append(broker)
    with pytest.raises(BrokerFailed):
        broker.start()
    assert "amq.conf:1:27: management.ssl.certfile: no certificates in" in broker.output()


# -- the owner's socket --


def test_the_owner_of_the_process_needs_no_password_on_its_socket(broker: BrokerProcess, tmp_path: Path) -> None:
    path = tmp_path / "data" / "http.sock"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with httpx.Client(transport=httpx.HTTPTransport(uds=str(path)), base_url="http://amq") as client:
        answer = client.get("/api/whoami")
    assert answer.status_code == 200
    assert answer.json()["tags"] == ["administrator"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_another_user_is_turned_away_at_the_owners_socket(broker: BrokerProcess, tmp_path: Path) -> None:
    path = tmp_path / "data" / "http.sock"
    # Even if somebody opens it up by mistake.
    ours = [parent for parent in path.parents if parent.is_relative_to(gettempdir()) and parent != Path(gettempdir())]
    for opened in (path, *ours):
        opened.chmod(opened.stat().st_mode | 0o777)
    program = (
        "import os, socket, sys\n"
        "os.setgid(65534); os.setuid(65534)\n"
        "s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1])\n"
        "s.sendall(b'GET /api/whoami HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n')\n"
        "try: print(s.recv(100))\n"
        "except ConnectionResetError: print(b'')\n"
    )
    done = subprocess.run([sys.executable, "-c", program, str(path)], capture_output=True, text=True, timeout=SECONDS)
    assert done.stdout.strip() == "b''", done.stderr
    assert "a process of user 65534 was refused at the owner's socket" in broker.output()


def test_a_socket_that_a_killed_broker_left_is_replaced_and_a_stop_removes_it(
    broker: BrokerProcess, tmp_path: Path
) -> None:
    path = tmp_path / "data" / "http.sock"
    broker.kill()
    assert path.is_socket()
    broker.start()
    with httpx.Client(transport=httpx.HTTPTransport(uds=str(path)), base_url="http://amq") as client:
        assert client.get("/api/whoami").status_code == 200
    assert broker.stop() == 0
    assert not path.exists()


def test_a_file_in_the_place_of_the_owners_socket_is_left_alone(tmp_path: Path, make: list[BrokerProcess]) -> None:
    path = tmp_path / "precious"
    path.write_text("data")
    broker = BrokerProcess(tmp_path, management=True, environment={"AMQ_MANAGEMENT__UNIX_SOCKET": str(path)})
    make.append(broker)
    with pytest.raises(BrokerFailed):
        broker.start()
    assert f"cannot listen on {path}: there is something else (management.unix_socket)" in broker.output()
    assert path.read_text() == "data"


# -- what it bears --


def test_what_is_no_http_is_answered_and_closed(broker: BrokerProcess) -> None:
    assert said(broker.http_port, b"AMQP\x00\x00\x09\x01\r\n\r\n").startswith(b"HTTP/1.1 400")


@pytest.mark.parametrize(
    ("request_line", "status_line"),
    [
        ("GET /api/whoami HTTP/1.1", "HTTP/1.1 401 Unauthorized"),
        ("GET /api/nothing HTTP/1.1", "HTTP/1.1 404 Not Found"),
        ("OPTIONS /api/whoami HTTP/1.1", "HTTP/1.1 200 OK"),
        ("no HTTP", "HTTP/1.1 400 Bad Request"),
    ],
)
def test_the_status_line_says_what_the_code_means(broker: BrokerProcess, request_line: str, status_line: str) -> None:
    answer = said(broker.http_port, f"{request_line}\r\nHost: h\r\nConnection: close\r\n\r\n".encode())
    assert answer.decode().partition("\r\n")[0] == status_line


def test_each_answer_on_one_connection_has_its_reason(broker: BrokerProcess) -> None:
    with httpx.Client(base_url=f"http://127.0.0.1:{broker.http_port}/api", auth=GUEST, timeout=SECONDS) as client:
        answers = [client.put("/vhosts/v"), client.put("/vhosts/v"), client.get("/vhosts/v"), client.get("/vhosts/w")]
    reasons = [answer.extensions["reason_phrase"].decode() for answer in answers]
    assert reasons == ["Created", "No Content", "OK", "Not Found"]


def test_a_websocket_is_refused(broker: BrokerProcess) -> None:
    request = (
        b"GET /api/whoami HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    assert said(broker.http_port, request).startswith(b"HTTP/1.1 403")


def test_a_refusal_is_heard_by_a_client_that_sends_a_long_body(broker: BrokerProcess) -> None:
    body = b"x" * 900_000
    head = b"POST /api/whoami HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body)
    assert said(broker.http_port, head + body).startswith(b"HTTP/1.1 405")
    assert whoami(broker.http_port).status_code == 200


def test_a_body_beyond_the_limit_is_refused(tmp_path: Path, make: list[BrokerProcess]) -> None:
    broker = BrokerProcess(tmp_path, management=True, environment={"AMQ_MANAGEMENT__MAX_HTTP_BODY_SIZE": "1000"})
    make.append(broker)
    broker.start()
    url = f"http://127.0.0.1:{broker.http_port}/api/login"
    answer = httpx.post(url, content=b" " * 1001, headers={"x-requested-with": "x"})
    assert answer.status_code == 400
    assert answer.json() == {"error": "bad_request", "reason": "Exceeded HTTP request body size limit of 1000 bytes"}


def test_paths_may_begin_with_a_prefix(tmp_path: Path, make: list[BrokerProcess]) -> None:
    broker = BrokerProcess(tmp_path, management=True, environment={"AMQ_MANAGEMENT__PATH_PREFIX": "/broker"})
    make.append(broker)
    broker.start()
    base = f"http://127.0.0.1:{broker.http_port}"
    assert httpx.get(f"{base}/broker/api/whoami", auth=GUEST).status_code == 200
    assert httpx.get(f"{base}/api/whoami", auth=GUEST).status_code == 404
    assert httpx.get(f"{base}/broker").headers["location"] == "/broker/"
    assert httpx.get(f"{base}/broker/api").headers["location"] == "/broker/api/openapi.json"


# -- how it ends --


def test_a_stop_does_not_wait_for_idle_clients(broker: BrokerProcess) -> None:
    with httpx.Client(base_url=f"http://127.0.0.1:{broker.http_port}", auth=GUEST) as client:
        assert client.get("/api/whoami").status_code == 200
        with socket.create_connection(("127.0.0.1", broker.http_port)):
            assert broker.stop() == 0


def test_a_stop_does_not_wait_for_a_client_that_does_not_read(broker: BrokerProcess) -> None:
    with socket.create_connection(("127.0.0.1", broker.http_port)) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        request = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
        connection.settimeout(0.5)
        try:
            # Until nothing is taken any more: the answers fill both ends.
            for _ in range(200_000):
                connection.sendall(request)
        except TimeoutError:
            pass
        assert broker.stop() == 0


def test_when_too_many_clients_come_the_idlest_goes(broker: BrokerProcess) -> None:
    url = f"http://127.0.0.1:{broker.http_port}"
    with httpx.Client(base_url=url, auth=GUEST, timeout=SECONDS) as first, contextlib.ExitStack() as others:
        assert first.get("/api/whoami").status_code == 200
        for _ in range(520):
            others.enter_context(socket.create_connection(("127.0.0.1", broker.http_port), SECONDS))
        # It finds its connection gone, and makes another.
        assert first.get("/api/whoami").status_code == 200
        assert whoami(broker.http_port).status_code == 200
    assert broker.stop() == 0


def test_a_stop_ends_streams_in_good_order(broker: BrokerProcess) -> None:
    url = f"http://127.0.0.1:{broker.http_port}/api/amq/logs?follow=true"
    with httpx.stream("GET", url, auth=GUEST, timeout=SECONDS) as stream:
        lines = stream.iter_lines()
        assert next(lines)
        broker.terminate()
        # To the end of the body: one that is cut off raises.
        for _ in lines:
            pass
    assert broker.wait() == 0


def test_a_stop_ends_requests_that_have_not_arrived(broker: BrokerProcess) -> None:
    with socket.create_connection(("127.0.0.1", broker.http_port), SECONDS) as connection:
        connection.sendall(b"PUT /api/vhosts/new HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
        assert broker.stop() == 0


def test_many_requests_at_a_stop_leave_no_traces(broker: BrokerProcess) -> None:
    stopped = threading.Event()

    def ask() -> None:
        with httpx.Client(base_url=f"http://127.0.0.1:{broker.http_port}/api", auth=GUEST, timeout=SECONDS) as client:
            while not stopped.is_set():
                with contextlib.suppress(httpx.TransportError):
                    client.put("/queues/%2F/q", json={"durable": True})
                    client.delete("/queues/%2F/q")

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    assert wait_for_port("127.0.0.1", broker.port, SECONDS)
    assert whoami(broker.http_port).status_code == 200
    assert broker.stop() == 0
    stopped.set()
    for thread in threads:
        thread.join(SECONDS)
