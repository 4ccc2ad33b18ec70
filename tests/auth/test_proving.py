"""Hashes in threads, and nobody who waits for one of somebody else."""

import threading

import attrs
import pytest
import trio
import trio.testing

from amq.auth import argon2id, proving
from amq.auth.backend import Backend
from amq.auth.credentials import Credentials, Question, Refusal, peer_at
from amq.auth.logins import Logins
from amq.auth.passwords import verify_password
from amq.auth.users import User, Users
from amq.clock import Clock
from amq.config.settings import Settings

REMOTE = peer_at("192.0.2.7", "http")
# How long something that should not happen is given the time to happen, in s.
MOMENT = 0.05


@attrs.frozen
class Gated(Question):
    """A question that is answered, in its thread, once the gate is open."""

    backend: "Slow" = attrs.field(eq=False)

    def answer(self) -> bool:
        with self.backend.lock:
            self.backend.asked.append(self.password)
        assert self.backend.gate.wait(10)
        return self.password == b"secret"


@attrs.define(eq=False)
class Slow(Backend):
    """Knows everybody whose password is `secret`, in a while."""

    gate: threading.Event = attrs.field(factory=threading.Event)
    lock: threading.Lock = attrs.field(factory=threading.Lock)
    asked: list[bytes] = attrs.field(factory=list)

    def authenticate(self, credentials: Credentials) -> Question:
        assert credentials.password is not None
        return Gated(credentials.password, credentials.name, "", self)

    def conclude(self, credentials: Credentials, question: Question, proven: bool) -> User | Refusal:
        return User(credentials.name) if proven else Refusal("no")


@pytest.fixture
def slow() -> Slow:
    return Slow()


@pytest.fixture
def logins(slow: Slow) -> Logins:
    return Logins(Users(), Settings(), Clock(0.0, 0.0), [slow])


async def collect(logins: Logins, name: str, password: str, outcomes: list[User | Refusal]) -> None:
    outcomes.append(await proving.authenticate(logins, name, password, REMOTE))


async def test_the_loop_goes_on_while_a_hash_is_computed(logins: Logins, slow: Slow) -> None:
    outcomes: list[User | Refusal] = []
    async with trio.open_nursery() as nursery:
        nursery.start_soon(collect, logins, "app", "secret", outcomes)
        await trio.testing.wait_all_tasks_blocked()
        assert outcomes == []
        slow.gate.set()
    assert outcomes == [User("app")]


async def test_one_question_is_answered_once_for_all_who_ask_it(logins: Logins, slow: Slow) -> None:
    outcomes: list[User | Refusal] = []
    async with trio.open_nursery() as nursery:
        for _ in range(20):
            nursery.start_soon(collect, logins, "app", "secret", outcomes)
        await trio.testing.wait_all_tasks_blocked()
        slow.gate.set()
    assert outcomes == [User("app")] * 20
    assert slow.asked == [b"secret"]


async def test_few_are_answered_at_once_and_the_others_in_their_turn(logins: Logins, slow: Slow) -> None:
    outcomes: list[User | Refusal] = []
    async with trio.open_nursery() as nursery:
        for number in range(6):
            nursery.start_soon(collect, logins, "app", f"wrong{number}", outcomes)
        await trio.testing.wait_all_tasks_blocked()
        await trio.sleep(MOMENT)
        assert len(slow.asked) == proving.THREADS
        slow.gate.set()
    assert outcomes == [Refusal("no")] * 6
    assert len(slow.asked) == 6


async def test_whoever_comes_when_too_many_wait_is_refused(
    logins: Logins, slow: Slow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proving, "MOST_WAITING", 3)
    outcomes: list[User | Refusal] = []
    async with trio.open_nursery() as nursery:
        for number in range(4):
            nursery.start_soon(collect, logins, "app", f"wrong{number}", outcomes)
            await trio.testing.wait_all_tasks_blocked()
        assert outcomes == [Refusal("user 'app' - too many logins at once", 1.0)]
        slow.gate.set()
    # All are counted, each once.
    assert logins.attempts.by_protocol["http"].failed == 4


async def test_who_asked_first_may_go_and_the_others_still_hear(logins: Logins, slow: Slow) -> None:
    outcomes: list[User | Refusal] = []
    async with trio.open_nursery() as nursery:
        with trio.CancelScope() as impatient:
            async with trio.open_nursery() as first:
                first.start_soon(collect, logins, "app", "secret", [])
                await trio.testing.wait_all_tasks_blocked()
                nursery.start_soon(collect, logins, "app", "secret", outcomes)
                await trio.testing.wait_all_tasks_blocked()
                impatient.cancel()
                slow.gate.set()
    assert outcomes == [User("app")]


async def test_an_argon2id_password_lets_in_and_is_quick_the_second_time() -> None:
    users = Users()
    user = User("app", "argon2id", argon2id.hash_password(b"secret"))
    users.put(user)
    logins = Logins(users, Settings(), Clock(0.0, 0.0))
    assert await proving.authenticate(logins, "app", "wrong", REMOTE) == Refusal("user 'app' - invalid credentials")
    assert await proving.authenticate(logins, "nobody", "x", REMOTE) == Refusal("user 'nobody' - invalid credentials")
    assert await proving.authenticate(logins, "app", "secret", REMOTE) == user
    assert logins.begin(Credentials("app", b"secret"), REMOTE) == user


async def test_a_hash_that_cannot_be_verified_here_is_told_in_the_log_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    users = Users()
    users.put(User("app", "argon2id", argon2id.DECOY))
    logins = Logins(users, Settings(), Clock(0.0, 0.0))

    def missing(password: bytes, password_hash: str) -> bool:
        raise ValueError(argon2id.MISSING)

    monkeypatch.setattr(argon2id, "verify", missing)
    assert await proving.authenticate(logins, "app", "x", REMOTE) == Refusal(f"user 'app' - {argon2id.MISSING}")


@pytest.mark.parametrize("algorithm", ["argon2id", "rabbit_password_hashing_sha256"])
async def test_passwords_are_hashed_beside_the_loop(algorithm: str) -> None:
    stored = await proving.hashed("pä\udcffss", algorithm)
    assert verify_password("pä\udcffss".encode("utf-8", "surrogatepass"), stored, algorithm)
