"""What `amq` says when it cannot do what it is asked: one line on stderr, status 2, no traceback."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

SECONDS = 20


def amq(*arguments: str, environ: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "amq", *arguments],
        env={**os.environ, **(environ or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )


def complaint(*arguments: str, environ: dict[str, str] | None = None) -> str:
    """The one line on stderr of a command that refuses to start."""
    ended = amq(*arguments, environ=environ)
    assert ended.returncode == 2, ended.stderr
    assert ended.stdout == ""
    lines = ended.stderr.splitlines()
    assert len(lines) == 1, ended.stderr
    return lines[0]


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return tmp_path / "amq.conf"


@pytest.mark.parametrize(("host", "shown"), [("127.0.0.1", "127.0.0.1"), ("::1", "[::1]")])
def test_a_port_in_use_is_named(host: str, shown: str) -> None:
    with socket.create_server((host, 0), family=socket.AF_INET6 if ":" in host else socket.AF_INET) as taken:
        address = f"{shown}:{taken.getsockname()[1]}"
        assert complaint("serve", "--listen", address) == f"amq: cannot listen on {address}: the port is in use"


def test_a_host_that_does_not_exist_is_named() -> None:
    assert complaint("serve", "--listen", "no.such.host.invalid:0").startswith(
        "amq: cannot listen on no.such.host.invalid:0: "
    )


def test_an_address_of_another_machine_is_named() -> None:
    line = complaint("serve", "--listen", "192.0.2.1:0")
    assert line.startswith("amq: cannot listen on 192.0.2.1:0: ")


def test_a_config_that_cannot_be_read_is_named(config: Path) -> None:
    line = complaint("serve", "--config", str(config))
    assert str(config) in line
    assert "No such file or directory" in line


def test_a_config_that_is_a_folder_is_named(tmp_path: Path) -> None:
    assert str(tmp_path) in complaint("serve", "--config", str(tmp_path))


def test_a_wrong_value_is_shown_with_file_line_column_and_what_is_allowed(config: Path) -> None:
    config.write_text("# a comment\nlisteners.tcp.default = 0\nheartbeat = soon\n")
    line = complaint("serve", "--config", str(config))
    assert f"{config}:3:" in line
    assert "heartbeat" in line
    assert "0 to 65535 seconds" in line


def test_a_line_that_is_no_setting_is_shown(config: Path) -> None:
    config.write_text("heartbeat = 60\nwhat is this\n")
    assert f"{config}:2:" in complaint("serve", "--config", str(config))


def test_a_wrong_variable_of_the_environment_is_named() -> None:
    assert "AMQ_HEARTBEAT" in complaint("serve", environ={"AMQ_HEARTBEAT": "soon"})


def test_a_tls_listener_without_a_certificate_is_reported(config: Path) -> None:
    config.write_text("listeners.tcp = none\nlisteners.ssl.default = 0\n")
    assert "ssl_options.certfile" in complaint("serve", "--config", str(config))


def test_a_certificate_that_is_none_is_reported(config: Path, tmp_path: Path) -> None:
    text = tmp_path / "text.pem"
    text.write_text("no certificate")
    config.write_text(f"listeners.ssl.1 = 127.0.0.1:0\nssl_options.certfile = {text}\nssl_options.keyfile = {text}\n")
    assert "ssl_options.certfile" in complaint("serve", "--config", str(config))


@pytest.mark.parametrize("address", ["127.0.0.1:99999", "127.0.0.1:amqp", "127.0.0.1:"])
def test_a_wrong_address_is_reported(address: str) -> None:
    assert address in complaint("serve", "--listen", address)


def test_a_wrong_log_level_is_reported() -> None:
    assert "loud" in complaint("serve", "--log-level", "loud")


def test_an_unknown_option_is_reported() -> None:
    assert "--loud" in complaint("serve", "--loud")
    assert "--loud" in complaint("--loud")


def test_an_unknown_command_is_reported() -> None:
    assert "swerve" in complaint("swerve")


def test_help_and_version_are_no_mistakes() -> None:
    for arguments in (["--help"], ["serve", "--help"], ["--version"]):
        ended = amq(*arguments)
        assert ended.returncode == 0
        assert ended.stderr == ""
        assert "amq" in ended.stdout
