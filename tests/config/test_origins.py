"""Where a setting's value comes from, asked for after loading."""

from pathlib import Path

import pytest

from amq.config.load import load
from amq.config.origins import Origins


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return tmp_path / "amq.conf"


def loaded(config: Path, environ: dict[str, str] | None = None, listen: tuple[str, ...] = ()) -> Origins:
    origins = Origins()
    load(config, environ or {}, listen=listen, origins=origins)
    return origins


def test_a_setting_comes_from_the_place_of_the_value_that_counts(config: Path) -> None:
    config.write_text("heartbeat = 5\nssl_options.verify = verify_peer\nheartbeat = 6\n")
    origins = loaded(config)
    assert origins.of("heartbeat") == f"{config}:3:13: heartbeat"
    assert origins.of("tls.verify") == f"{config}:2:22: ssl_options.verify"
    assert loaded(config, {"AMQ_HEARTBEAT": "7"}).of("heartbeat") == "environment AMQ_HEARTBEAT"


def test_of_two_keys_for_one_setting_it_is_the_one_that_counts(config: Path) -> None:
    config.write_text("log.default.level = error\nlog.level = debug\n")
    assert loaded(config).of("log_level") == f"{config}:1:21: log.default.level"


def test_each_of_several_values_has_its_own_place(config: Path) -> None:
    config.write_text("ssl_options.ciphers.1 = A\nssl_options.ciphers.2 = B\nssl_options.ciphers.1 = C\n")
    origins = loaded(config)
    assert origins.of("tls.ciphers", "B") == f"{config}:2:25: ssl_options.ciphers.2"
    assert origins.of("tls.ciphers", "C") == f"{config}:3:25: ssl_options.ciphers.1"
    assert origins.of("tls.ciphers", "A") is None


def test_what_was_not_given_comes_from_nowhere(config: Path) -> None:
    config.write_text("")
    assert loaded(config).of("heartbeat") is None


def test_listeners_of_the_command_line_take_the_place_of_others(config: Path) -> None:
    config.write_text("listeners.tcp.1 = 1\n")
    assert loaded(config, listen=("localhost:2",)).of("listeners") == "--listen localhost:2"
