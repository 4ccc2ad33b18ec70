"""What `amq` says when it cannot do what it is asked: one line on stderr, status 2, no traceback."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import trustme
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from amq.cli.main import main
from amq.server.folder import DataFolder
from tests.harness.process import WITH_WEB

SECONDS = 20


def amq(*arguments: str, environ: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command to its end; it keeps nothing unless it is told to."""
    return subprocess.run(
        [sys.executable, "-m", "amq", *arguments],
        # The usual ports of HTTP may be taken by a broker that has nothing to do with this.
        env={**os.environ, **WITH_WEB, "AMQ_DATA": "none", **(environ or {})},
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


def test_an_option_without_its_value_is_refused_by_the_command_that_has_it() -> None:
    ended = amq("perf", "-z")
    assert ended.returncode == 64
    assert ended.stderr == "amq perf: option '-z' requires an argument (see amq perf --help)\n"
    assert complaint("serve", "--listen") == "amq serve: option '--listen' requires an argument (see amq serve --help)"


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


def test_a_config_that_is_a_folder_without_files_for_one_is_named(tmp_path: Path) -> None:
    assert f"{tmp_path}: the folder has no file for a configuration" in complaint("serve", "--config", str(tmp_path))


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


@pytest.fixture(scope="module")
def pems(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a certificate and its key, that key with a password, the key of another certificate, and a text."""
    folder = tmp_path_factory.mktemp("pems")
    authority = trustme.CA()
    certificate = authority.issue_cert("localhost")
    (folder / "cert.pem").write_bytes(b"".join(blob.bytes() for blob in certificate.cert_chain_pems))
    certificate.private_key_pem.write_to_path(folder / "key.pem")
    authority.issue_cert("localhost").private_key_pem.write_to_path(folder / "other.pem")
    key = load_pem_private_key(certificate.private_key_pem.bytes(), None)
    secret = BestAvailableEncryption(b"sesame")
    (folder / "secret.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, secret))
    (folder / "text.pem").write_text("no certificate")
    return folder


@pytest.mark.parametrize(
    ("cert", "key", "more", "place", "problem"),
    [
        (
            "text",
            "key",
            "",
            "2:24: ssl_options.certfile",
            "no certificates in {}/text.pem, allowed: certificates in PEM format",
        ),
        (
            "cert",
            "text",
            "",
            "3:23: ssl_options.keyfile",
            "no private key in {}/text.pem, allowed: a private key in PEM format",
        ),
        (
            "cert",
            "other",
            "",
            "3:23: ssl_options.keyfile",
            "the key in {}/other.pem does not belong to the certificate in {}/cert.pem, "
            "allowed: the private key of that certificate",
        ),
        (
            "cert",
            "secret",
            "",
            "3:23: ssl_options.keyfile",
            "the key in {}/secret.pem is encrypted, allowed: with ssl_options.password only",
        ),
        (
            "cert",
            "secret",
            "ssl_options.password = wrong",
            "4:24: ssl_options.password",
            "the key in {}/secret.pem does not open with it, allowed: the password of that key",
        ),
        (
            "cert",
            "key",
            "ssl_options.verify = verify_peer",
            "4:22: ssl_options.verify",
            "verify_peer has no authorities to check with, allowed: with ssl_options.cacertfile only",
        ),
        (
            "cert",
            "key",
            "ssl_options.cacertfile = {}/text.pem",
            "4:26: ssl_options.cacertfile",
            "no certificates in {}/text.pem, allowed: certificates in PEM format",
        ),
        (
            "cert",
            "key",
            "ssl_options.ciphers.2 = ECDHE-ECDSA-AES256-GCM-SHA384\nssl_options.ciphers.1 = ROT13",
            "5:25: ssl_options.ciphers.1",
            "OpenSSL has no 'ROT13', allowed: OpenSSL names of cipher suites",
        ),
        (
            "cert",
            "key",
            "ssl_options.versions.1 = tlsv1.3\nssl_options.versions.2 = tlsv1.1",
            "5:26: ssl_options.versions.2",
            "tlsv1.2 is left out, allowed: versions without a gap between them",
        ),
    ],
)
def test_tls_that_cannot_be_is_shown_with_file_line_column_key_and_what_is_allowed(
    config: Path, pems: Path, cert: str, key: str, more: str, place: str, problem: str
) -> None:
    config.write_text(
        "listeners.ssl.1 = 127.0.0.1:0\n"
        f"ssl_options.certfile = {pems}/{cert}.pem\n"
        f"ssl_options.keyfile = {pems}/{key}.pem\n" + more.replace("{}", str(pems))
    )
    assert complaint("serve", "--config", str(config)) == f"amq: {config}:{place}: {problem.replace('{}', str(pems))}"


def test_tls_that_cannot_be_names_the_variable_that_says_so(config: Path, pems: Path) -> None:
    config.write_text(
        "listeners.ssl.1 = 127.0.0.1:0\n"
        f"ssl_options.certfile = {pems}/cert.pem\n"
        f"ssl_options.keyfile = {pems}/key.pem\n"
        "ssl_options.ciphers.1 = HIGH\n"
    )
    line = complaint("serve", "--config", str(config), environ={"AMQ_SSL_OPTIONS__CIPHERS__1": "ROT13"})
    assert line.startswith("amq: environment AMQ_SSL_OPTIONS__CIPHERS__1: OpenSSL has no 'ROT13'")


@pytest.mark.parametrize("key", ["load_definitions", "definitions.local.path"])
def test_definitions_that_cannot_be_are_shown_with_both_places(config: Path, tmp_path: Path, key: str) -> None:
    definitions = tmp_path / "definitions.json"
    definitions.write_text('{"users": [{"name": 7}]}')
    config.write_text(f"heartbeat = 5\n{key} = {definitions}\n")
    line = complaint("serve", "--config", str(config))
    assert line.startswith(f"amq: {config}:2:{len(key) + 4}: {key}: {definitions}: users[0]")


@pytest.mark.parametrize("address", ["127.0.0.1:99999", "127.0.0.1:amqp", "127.0.0.1:"])
def test_a_wrong_address_is_reported(address: str) -> None:
    assert address in complaint("serve", "--listen", address)


def test_a_wrong_log_level_is_reported() -> None:
    assert "loud" in complaint("serve", "--log-level", "loud")


def test_a_folder_that_another_broker_uses_is_named_with_its_process(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with DataFolder.open(data):
        line = complaint("serve", "--listen", "127.0.0.1:0", "--data", str(data))
        assert line == f"amq: data folder {data} is in use by another broker (process {os.getpid()})"


def test_a_file_in_place_of_the_data_folder_is_named(config: Path) -> None:
    config.write_text("")
    assert complaint("serve", "--data", str(config)) == f"amq: data folder {config}: not a folder"
    assert complaint("serve", environ={"AMQ_DATA": str(config)}) == f"amq: data folder {config}: not a folder"


def test_data_are_kept_in_one_place_or_not_at_all() -> None:
    assert "--in-memory: not allowed with argument --data" in complaint("serve", "--data", "x", "--in-memory")


def test_a_data_folder_needs_a_name() -> None:
    assert "must not be empty" in complaint("serve", "--data", "")


def test_who_has_no_home_is_told_what_to_do(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    for name in ("XDG_STATE_HOME", "AMQ_DATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(Path, "home", homeless)
    assert main(["serve", "--listen", "127.0.0.1:0"]) == 2
    assert capsys.readouterr().err == ("amq: no home to keep data in: name a folder with --data, or use --in-memory\n")


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
