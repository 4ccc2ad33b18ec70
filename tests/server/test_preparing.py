import json
from pathlib import Path

import pytest

from amq import exchanges
from amq.auth import argon2id
from amq.auth.credentials import Credentials, peer_at
from amq.auth.users import User
from amq.config.settings import Settings
from amq.exchanges.fanout import Fanout
from amq.server import preparing
from amq.server.errors import SettingError
from amq.server.preparing import new_broker

DEFINITIONS = {
    "users": [{"name": "ann", "password": "secret", "tags": ""}],
    "vhosts": [{"name": "shop"}],
    "permissions": [{"user": "ann", "vhost": "shop", "configure": "", "write": ".*", "read": ".*"}],
    "queues": [{"name": "orders", "vhost": "shop", "durable": True, "auto_delete": False, "arguments": {}}],
}


def written(folder: Path, text: str) -> str:
    path = folder / "definitions.json"
    path.write_text(text)
    return str(path)


def test_a_broker_starts_with_what_the_definitions_file_defines(tmp_path: Path) -> None:
    broker = new_broker(Settings(load_definitions=written(tmp_path, json.dumps(DEFINITIONS))))
    assert b"orders" in broker.vhosts["shop"].queues
    assert isinstance(broker.logins.begin(Credentials("ann", b"secret"), peer_at("192.0.2.7")), User)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{", "line 1"),
        ('{"users": [{"name": 7}]}', "users[0]"),
        ('{"queues": [{"name": "q", "vhost": "no"}]}', "vhost"),
    ],
)
def test_definitions_that_cannot_be_loaded_stop_the_start_in_one_line(tmp_path: Path, text: str, problem: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(SettingError) as caught:
        new_broker(Settings(load_definitions=path))
    assert caught.value.field == "load_definitions"
    assert path in str(caught.value)
    assert problem in str(caught.value)
    assert "\n" not in str(caught.value)


def test_definitions_are_utf_8_with_or_without_a_byte_order_mark(tmp_path: Path) -> None:
    text = '{"vhosts": [{"name": "größe"}]}'
    for number, encoding in enumerate(("utf-8", "utf-8-sig")):
        path = tmp_path / f"{number}.json"
        path.write_text(text, encoding)
        assert "größe" in new_broker(Settings(load_definitions=str(path))).vhosts


def test_definitions_that_are_no_text_stop_the_start(tmp_path: Path) -> None:
    path = tmp_path / "definitions.json"
    path.write_bytes(b"{\xff")
    with pytest.raises(SettingError, match=r"not UTF-8 text: .* at octet 1"):
        new_broker(Settings(load_definitions=str(path)))


def test_a_missing_definitions_file_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="No such file"):
        new_broker(Settings(load_definitions=str(tmp_path / "none.json")))


class Everywhere(Fanout):
    __slots__ = ()
    type_name = "x-everywhere"


class FakeEntry:
    def __init__(self, name: str, value: object) -> None:
        self.name = name
        self.value = repr(value)
        self.loaded = value

    def load(self) -> object:
        return self.loaded


def test_an_installed_exchange_type_can_be_declared_and_a_broken_one_is_left_out(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(preparing, "entry_points", lambda group: [FakeEntry("bad", 7), FakeEntry("good", Everywhere)])
    preparing.enter_exchange_types.__wrapped__()
    try:
        assert exchanges.exchange_type(b"x-everywhere") is Everywhere
        assert "exchange type bad" in caplog.text
    finally:
        del exchanges.TYPES[b"x-everywhere"]


def test_definitions_with_users_take_the_place_of_the_default_user(tmp_path: Path) -> None:
    broker = new_broker(Settings(load_definitions=written(tmp_path, json.dumps(DEFINITIONS))))
    assert [user.name for user in broker.users] == ["ann"]
    assert list(broker.vhosts) == ["shop"]


def test_definitions_without_users_leave_the_default_user_and_vhost(tmp_path: Path) -> None:
    text = '{"queues": [{"name": "q", "vhost": "/", "durable": true, "auto_delete": false, "arguments": {}}]}'
    broker = new_broker(Settings(load_definitions=written(tmp_path, text)))
    assert "guest" in broker.users
    assert b"q" in broker.vhosts["/"].queues


def test_a_hash_that_cannot_be_computed_here_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(argon2id, "available", lambda: False)
    assert new_broker(Settings()).users.algorithm == "rabbit_password_hashing_sha256"
    with pytest.raises(SettingError, match=r"needs the package argon2-cffi") as caught:
        new_broker(Settings(password_hashing_module="argon2id"))
    assert caught.value.field == "password_hashing_module"
