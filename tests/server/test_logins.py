"""AMQP logins with slow hashes, over sockets: their clients wait, the others do not."""

from collections.abc import AsyncIterator

import pytest
import trio

from amq.auth import proving
from amq.auth.chain import Login
from amq.auth.credentials import Credentials, Refusal, peer_at
from amq.auth.passwords import hash_password
from amq.auth.users import User
from amq.config.settings import Listener, Settings
from amq.server.preparing import new_broker
from amq.server.server import Server
from tests.harness.dialogue import HEADER, method

SLOW = hash_password(b"secret", "argon2id")
# How long an answer may take that does come, in s.
PATIENCE = 10


@pytest.fixture
async def server(nursery: trio.Nursery) -> AsyncIterator[Server]:
    settings = Settings(listeners=(Listener("127.0.0.1", 0),))
    server = Server(settings, new_broker(settings))
    server.broker.users.put(User("app", "argon2id", SLOW))
    await server.open()
    nursery.start_soon(server.run)
    yield server
    server.stop(0)


async def log_in(server: Server, user: str, password: str) -> trio.SocketStream:
    stream = await trio.open_tcp_stream("127.0.0.1", server.doors[0].port)
    await stream.send_all(HEADER)
    assert (await stream.receive_some()).startswith(b"\x01\x00\x00")
    response = f"\0{user}\0{password}".encode()
    capabilities = {"capabilities": {"authentication_failure_close": True}}
    await stream.send_all(
        method(
            0,
            "connection.start-ok",
            client_properties=capabilities,
            mechanism="PLAIN",
            response=response,
            locale="en_US",
        )
    )
    return stream


async def hear(stream: trio.SocketStream) -> bytes:
    with trio.fail_after(PATIENCE):
        return bytes(await stream.receive_some())


TUNE = (10 << 16 | 30).to_bytes(4, "big")
CLOSE = (10 << 16 | 50).to_bytes(4, "big")


async def test_a_slow_hash_lets_in_and_keeps_out(server: Server) -> None:
    async with await log_in(server, "app", "secret") as stream:
        assert (await hear(stream))[7:11] == TUNE
    for user in ("app", "nobody", "guest"):
        async with await log_in(server, user, "wrong") as stream:
            heard = await hear(stream)
            assert heard[7:11] == CLOSE
            assert b"ACCESS_REFUSED - Login was refused" in heard


async def test_a_client_that_leaves_while_its_hash_is_computed_disturbs_nobody(server: Server) -> None:
    stream = await log_in(server, "app", "wrong")
    await stream.aclose()
    async with await log_in(server, "app", "secret") as other:
        assert (await hear(other))[7:11] == TUNE


async def test_a_defect_in_deciding_refuses_that_login_alone(
    server: Server, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(_logins: object, _login: Login) -> User | Refusal:
        raise RuntimeError("a defect")

    monkeypatch.setattr(proving, "decide", fail)
    async with await log_in(server, "app", "secret") as stream:
        assert (await hear(stream))[7:11] == CLOSE
    assert "a login could not be decided" in caplog.text
    async with await log_in(server, "guest", "guest") as stream:
        assert (await hear(stream))[7:11] == TUNE
    assert isinstance(server.broker.logins.begin(Credentials("app", b"secret"), peer_at("127.0.0.1")), Login)
