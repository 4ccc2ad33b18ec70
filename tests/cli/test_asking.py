"""Where a broker is asked and what is said when it does not answer, refuses, or is none; status, health, logs."""

from __future__ import annotations

import json
import os
import pwd
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import trustme

from amq.cli.ask.broker import events, path
from amq.cli.ask.target import DEFAULT_URL, find
from amq.cli.exits import CommandError
from amq.cli.main import main
from amq.cli.tree import PLACES
from tests.harness.process import BrokerProcess, free_port

if TYPE_CHECKING:
    from tests.cli.broker_at_hand import Amq

SECONDS = 20


# -- which broker --


def test_the_first_place_that_is_named_is_asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AMQ_URL", "AMQ_DATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert find(None, None).base == DEFAULT_URL.replace("guest:guest@", "")
    (tmp_path / "amq").mkdir()
    (tmp_path / "amq/http.sock").touch()
    assert find(None, None).socket == tmp_path / "amq/http.sock"
    monkeypatch.setenv("AMQ_DATA", "/broker")
    assert find(None, None).socket == Path("/broker/http.sock")
    monkeypatch.setenv("AMQ_URL", "http://a:b@host")
    assert (find(None, None).base, find(None, None).user) == ("http://host:15672", "a")
    assert find(None, "/other").socket == Path("/other/http.sock")
    assert find("https://host/prefix/", "/other").base == "https://host:15671/prefix"


@pytest.mark.parametrize(
    ("url", "base", "user", "password"),
    [
        ("http://u%40x:p%3Aw@[::1]:1234/api", "http://[::1]:1234", "u@x", "p:w"),
        ("host:1", "http://host:1", None, ""),
        ("https://host", "https://host:15671", None, ""),
    ],
)
def test_a_url_is_taken_apart(url: str, base: str, user: str | None, password: str) -> None:
    target = find(url, None)
    assert (target.base, target.user, target.password) == (base, user, password)
    assert password == "" or password not in target.shown


@pytest.mark.parametrize("url", ["ftp://host", "http://", "http://host:port", "http://host:99999"])
def test_a_url_that_is_none_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(CommandError, match="--url: not http://USER") as refused:
        find(url, None)
    assert refused.value.status == 64


def test_names_are_escaped_in_paths() -> None:
    assert path("queues", "/", "a/b?#%") == "queues/%2F/a%2Fb%3F%23%25"
    assert path("queues", "..", ".") == "queues/%2E%2E/%2E"


def test_a_stream_of_events_is_read_with_all_that_may_be_in_it() -> None:
    lines = [": comment", "", "event: told", 'data: {"a":', "data: 1}", "id: 7", "", "data:text", "", "event: none", ""]
    assert [(event.name, event.data) for event in events(iter(lines))] == [("told", {"a": 1}), ("message", "text")]


# -- who does not answer --


# httpcore forgets the socket that could not be connected.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_broker_that_does_not_run_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "queues", "--data", str(tmp_path)]) == 69
    assert capsys.readouterr().err == (
        f"amq: no broker runs on {tmp_path}, or none with its HTTP API: there is no http.sock in it\n"
    )
    with socket.socket(socket.AF_UNIX) as left_behind:
        left_behind.bind(str(tmp_path / "http.sock"))
    assert main(["list", "queues", "--data", str(tmp_path)]) == 69
    assert "no broker answers at" in capsys.readouterr().err
    url = f"http://guest:secret@127.0.0.1:{free_port()}"
    assert main(["list", "queues", "--url", url]) == 69
    said = capsys.readouterr().err
    assert "Connection refused; is it running" in said
    assert "secret" not in said


def test_a_host_that_is_none_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ping", "--url", "http://no.such.host.invalid"]) == 69
    assert "the host is not known" in capsys.readouterr().err


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_who_is_not_the_owner_is_told_what_to_do(amq: Amq) -> None:
    nobody = pwd.getpwnam("nobody").pw_uid
    # Imported before, for somebody else may not even read this Python.
    code = (
        "import os, sys, encodings.idna, httpcore, amq.cli.ping; from amq.cli.main import main; "
        f"os.setuid({nobody}); sys.exit(main(['ping']))"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code], env=amq.environment, capture_output=True, text=True, timeout=SECONDS, check=False
    )
    advice = "only the owner of the broker and root may use it; as somebody else, give --url"
    assert (ended.returncode, ended.stderr) == (69, f"amq: {amq.folder}/http.sock: {advice}\n")


@contextmanager
def served(answer: bytes, status: int = 200) -> Iterator[str]:
    """A server that gives every request the same answer."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_what_is_no_broker_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with served(b"<html>welcome</html>") as url:
        assert main(["list", "queues", "--url", url]) == 69
    assert "does not answer as the HTTP API of a broker does" in capsys.readouterr().err
    with served(b"<html>sorry</html>", 500) as url:
        assert main(["list", "queues", "--url", url]) == 70
    assert "the broker failed (500): 500 Internal Server Error" in capsys.readouterr().err
    with served(b'{"error":"x","reason":"no \\u001b[31m &lt;&lt;you&gt;&gt;"}', 403) as url:
        assert main(["list", "queues", "--url", url]) == 77
    assert capsys.readouterr().err == "amq: forbidden: no \\x1b[31m <<you>>\n"


def test_a_broker_that_is_silent_is_given_up(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        assert main(["ping", "--url", url, "--timeout", "0.2"]) == 69
        assert capsys.readouterr().err == f"amq: no answer from {url} in 0.2 s\n"


def test_a_wrong_password_is_refused(amq: Amq) -> None:
    url = amq.url.replace(":guest@", ":wrong@")
    assert amq.refused(77, "list", "queues", "--url", url) == (
        f"amq: 'guest' at {amq.url.replace('guest:guest@', '')} may not: Login failed"
    )
    nameless = amq.url.replace("guest:guest@", "")
    assert "who gives no name" in amq.refused(77, "list", "queues", "--url", nameless)


def test_files_for_tls_are_refused_where_there_is_none(amq: Amq) -> None:
    bind = ("add", "binding", "amq.topic", "q")
    assert "--key: a file for TLS, with a URL of https only" in amq.refused(64, *bind, "--key", "order.#")
    assert "--cacert: a file for TLS" in amq.refused(64, "list", "queues", "--cacert", "ca.pem")
    nowhere = "https://guest:guest@127.0.0.1:1"
    assert "--cert, which is missing" in amq.refused(64, "ping", "--url", nowhere, "--key", "key.pem")


def test_tls_is_checked_unless_that_is_turned_off(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    authority = trustme.CA()
    certificate = authority.issue_cert("localhost", "127.0.0.1")
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    (tmp_path / "cert.pem").write_bytes(b"".join(blob.bytes() for blob in certificate.cert_chain_pems))
    certificate.private_key_pem.write_to_path(tmp_path / "key.pem")
    port = free_port()
    (tmp_path / "amq.conf").write_text(
        f"management.ssl.ip = 127.0.0.1\nmanagement.ssl.port = {port}\n"
        f"management.ssl.certfile = {tmp_path}/cert.pem\nmanagement.ssl.keyfile = {tmp_path}/key.pem\n"
    )
    broker = BrokerProcess(tmp_path, options=("--config", "amq.conf"), management=True)
    broker.start()
    try:
        assert broker.http_port
        url = f"https://guest:guest@127.0.0.1:{port}"
        assert main(["ping", "--url", url]) == 69
        assert "CERTIFICATE_VERIFY_FAILED" in capsys.readouterr().err
        assert main(["ping", "--url", url, "--cacert", str(tmp_path / "ca.pem")]) == 0
        assert main(["ping", "--url", url, "--insecure"]) == 0
        assert main(["ping", "--url", url, "--cacert", str(tmp_path / "none.pem")]) == 65
        assert f"{tmp_path}/none.pem: No such file" in capsys.readouterr().err
        assert main(["rabbitmq-diagnostics", "certificates", "--url", url, "--insecure", "--formatter", "json"]) == 0
        shown = json.loads(capsys.readouterr().out)
        assert "IP Address:127.0.0.1" in shown[0]["subject_alt_names"]
    finally:
        broker.kill()


# -- the broker at a glance --


def test_status_tells_the_broker_in_lines_and_in_json(amq: Amq) -> None:
    facts = dict(line.split("\t", 1) for line in amq.done("status").lines())
    assert (facts["process"], facts["data"], facts["alarms"]) == (str(amq.broker.pid), str(amq.folder), "none")
    assert f"amqp 127.0.0.1:{amq.broker.port}" in facts["listeners"]
    told = amq.done("status", "-f", "json").json()
    assert told["overview"]["node"] == told["node"]["name"]


def test_ping_answers(amq: Amq) -> None:
    assert f"{amq.folder}/http.sock answers in " in amq.done("ping").out
    assert amq.done("ping", "-q").out == ""


def test_health_fails_with_the_check_that_fails(amq: Amq) -> None:
    rows = amq.done("health", "-f", "json").json()
    assert {row["status"] for row in rows} == {"ok"}
    port = free_port()
    said = amq("health", f"port-listener/{amq.broker.port}", f"port-listener/{port}", "--no-header")
    assert said.status == 69
    assert said.lines()[0] == f"port-listener/{amq.broker.port}\tok\t"
    assert said.lines()[1].startswith(f"port-listener/{port}\tfailed\tNo active listener")
    assert amq.refused(65, "health", "none")


def test_logs_show_the_last_lines_and_follow(amq: Amq) -> None:
    last = amq.done("logs", "-n", "1", "-f", "json").json()
    assert {"number", "time", "level", "text"} <= set(last)
    assert amq.done("logs", "-n", "0").out == ""
    amq.refused(65, "consume", "none1")
    command = [sys.executable, "-m", "amq", "logs", "--follow", "-n", "1", "--level", "error"]
    with subprocess.Popen(command, env=amq.environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert "[error] " in process.stdout.readline()
        amq.refused(65, "consume", "none2")
        assert "no queue 'none2' in vhost '/'" in process.stdout.readline()
        process.terminate()


def test_the_configuration_is_read_again(amq: Amq) -> None:
    assert amq.done("reload").out == "nothing has changed\n"
    assert set(amq.done("reload", "-f", "json").json()) == {"changed", "needs_restart", "warnings"}


def test_the_most_of_something_is_shown_once_without_a_terminal(amq: Amq) -> None:
    amq.done("add", "queue", "long", "-p", "t")
    amq.done("publish", "", "long", "x", "--repeat", "3", "-p", "t")
    assert "t\tlong\t3\t3\t0\t0" in amq.done("top").lines()
    assert amq.done("top", "queues-by-bytes", "-f", "json").json()["queues-by-bytes"][0]["name"] == "long"


def test_definitions_go_out_and_in(amq: Amq, tmp_path: Path) -> None:
    amq.done("add", "queue", "jobs", "-p", "t")
    file = tmp_path / "definitions.json"
    amq.done("definitions", "export", str(file))
    assert file.stat().st_mode & 0o077 == 0
    assert {"users", "vhosts", "queues"} < set(json.loads(file.read_text()))
    document = amq.done("definitions", "export", "-p", "t").json()
    assert [queue["name"] for queue in document["queues"]] == ["jobs"]
    amq.done("delete", "queue", "jobs", "-p", "t")
    assert "can be imported" in amq.done("definitions", "import", str(file), "--check").out
    assert amq.done("list", "queues", "-p", "t", "--no-header").out == ""
    amq.done("definitions", "import", str(file))
    assert amq.done("list", "queues", "-c", "name", "-p", "t", "--no-header").out == "jobs\n"
    file.write_text('{"queues": [{"name": 7}]}')
    assert amq.refused(65, "definitions", "import", str(file)).startswith("amq: ")
    file.write_text("{")
    assert "no JSON" in amq.refused(65, "definitions", "import", str(file))
    assert amq.refused(73, "definitions", "export", str(tmp_path / "none" / "x.json"))
    assert amq.refused(65, "definitions", "import", str(tmp_path / "none"))


# -- without a broker --


def test_a_password_is_hashed_as_rabbitmq_does(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["hash-password", "secret"]) == 0
    first = capsys.readouterr().out.strip()
    assert main(["hash-password", "secret", "--algorithm", "sha512"]) == 0
    assert (len(first), len(capsys.readouterr().out.strip())) == (48, 92)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_gets_its_script(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", shell]) == 0
    assert "_AMQ_COMPLETE=" + shell in capsys.readouterr().out


def completed(amq: Amq, *words: str) -> list[str]:
    environment = {
        **amq.environment,
        "_AMQ_COMPLETE": "bash_complete",
        "COMP_WORDS": " ".join(["amq", *words]),
        "COMP_CWORD": str(len(words)),
    }
    ended = subprocess.run(
        [Path(sys.executable).with_name("amq")], env=environment, capture_output=True, text=True, timeout=SECONDS
    )
    assert ended.stderr == ""
    return [line.partition(",")[2] for line in ended.stdout.splitlines() if line]


def test_commands_options_and_names_are_completed(amq: Amq) -> None:
    assert completed(amq, "defin") == ["definitions"]
    assert "--vhost" in completed(amq, "purge", "--v")
    amq.done("add", "queue", "completed", "-p", "t")
    assert completed(amq, "purge", "-p", "t", "comp") == ["completed"]
    assert completed(amq, "rabbitmqctl", "list_q") == ["list_queues"]
    assert completed(amq, "purge", "--data", "/nowhere", "comp") == []


def test_without_the_extra_what_needs_it_says_so_and_the_rest_works(tmp_path: Path) -> None:
    # Stands in the way of the real ones, as if these were not installed.
    for name in ("httpx", "rich"):
        (tmp_path / f"{name}.py").write_text(f"raise ModuleNotFoundError('no {name}', name='{name}')\n")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "amq", *arguments]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=SECONDS, check=False)

    for arguments in (["--version"], ["--help"], ["serve", "--help"], ["journal", "--help"], ["hash-password", "x"]):
        assert run(*arguments).returncode == 0
    ended = run("list", "queues")
    assert (ended.returncode, ended.stderr) == (
        78,
        "amq: amq list needs httpx, which is not installed: pip install 'amq[cli]'\n",
    )
    assert run("rabbitmqctl", "list_queues").returncode == 78


def test_every_command_has_help_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--help"])
    shown = capsys.readouterr().out
    for place in PLACES:
        assert f"  {place.name} " in shown
        assert main([place.name, "help" if place.name.startswith("rabbitmq") else "--help"]) == 0
        assert place.name in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [["list", "none"], ["list", "queues", "--none"], ["publish"], ["top", "none"]])
def test_arguments_that_make_no_sense_have_status_64(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 64
    assert capsys.readouterr().err.startswith("amq ")


def test_a_reader_that_goes_is_no_error_to_tell(amq: Amq) -> None:
    command = f"{sys.executable} -m amq list feature-flags -f json | head -c 1 >/dev/null; echo ${{PIPESTATUS[0]}}"
    ended = subprocess.run(
        ["bash", "-c", command], env=amq.environment, capture_output=True, text=True, timeout=SECONDS, check=False
    )
    assert ended.stderr == ""
    # Small outputs may be taken as a whole before the reader goes.
    assert ended.stdout.strip() in {"0", "141"}


def test_called_by_the_name_of_rabbitmqctl_it_is_that(amq: Amq, tmp_path: Path) -> None:
    link = tmp_path / "rabbitmqctl"
    link.symlink_to(Path(sys.executable).with_name("amq"))
    ended = subprocess.run(
        [link, "-q", "list_vhosts"], env=amq.environment, capture_output=True, text=True, timeout=SECONDS, check=False
    )
    assert ended.stdout.splitlines()[0] == "name"
    assert {"/", "t"} < set(ended.stdout.splitlines())


def test_what_an_import_leaves_out_is_told(amq: Amq, tmp_path: Path) -> None:
    file = tmp_path / "definitions.json"
    queue = {"name": "raft", "vhost": "t", "durable": True, "auto_delete": False, "type": "quorum", "arguments": {}}
    file.write_text(json.dumps({"queues": [queue]}))
    for options in (["--check"], []):
        said = amq("definitions", "import", str(file), *options)
        assert said.status == 0
        assert said.err.startswith("warning: ") and "raft" in said.err
