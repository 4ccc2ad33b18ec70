"""Answers questions about passwords in threads, so that a slow hash holds up nobody.

At most `THREADS` at once, since each takes a processor, which messages need, and 19 MiB; the others wait in order. A
question that is being answered is not asked a second time: a page that makes twenty requests with one password costs
one hash.
"""

import os
import time
from functools import partial
from typing import Final

import attrs
import trio

from amq.auth.chain import Login
from amq.auth.credentials import Credentials, LoginPeer, Question, Refusal
from amq.auth.logins import Logins
from amq.auth.passwords import hash_password, is_slow
from amq.auth.users import User

# Half of the processors, and no more than a few.
THREADS: Final = max(1, min(4, (os.cpu_count() or 1) // 2))
# Questions that may wait; whoever comes then is refused.
MOST_WAITING: Final = 256
RETRY: Final = 1.0  # seconds


class TooManyLogins(Exception):
    """So many questions wait that this one is not taken."""


@attrs.define(eq=False)
class _Pending:
    done: trio.Event = attrs.field(factory=trio.Event)
    proven: bool = False


@attrs.define(eq=False)
class _Provers:
    """The threads of one trio run."""

    limiter: trio.CapacityLimiter = attrs.field(factory=partial(trio.CapacityLimiter, THREADS))
    pending: dict[Question, _Pending] = attrs.field(factory=dict)


_PROVERS: Final[trio.lowlevel.RunVar[_Provers]] = trio.lowlevel.RunVar("amq provers")


async def authenticate(logins: Logins, name: str, password: str, source: LoginPeer) -> User | Refusal:
    """The user with that password, or why there is none; for clients of other protocols than AMQP."""
    logins.clock.now = time.monotonic()
    credentials = Credentials(name, password.encode("utf-8", "surrogateescape"))
    answer = logins.begin(credentials, source)
    return await decide(logins, answer) if isinstance(answer, Login) else answer


async def decide(logins: Logins, login: Login) -> User | Refusal:
    """Take a login that waits to its end."""
    answer: User | Refusal | Login = login
    problem, wait = "", 0.0
    while isinstance(answer, Login):
        proven = False
        try:
            proven = await _answered(answer.question)
        except TooManyLogins:
            problem, wait = "too many logins at once", RETRY
        except ValueError as error:
            problem = str(error)
        logins.clock.now = time.monotonic()
        answer = logins.go_on(answer, proven)
    if problem and isinstance(answer, Refusal):
        return Refusal(f"user '{login.credentials.shown_name}' - {problem}", wait)
    return answer


async def hashed(password: str, algorithm: str) -> str:
    """The hash of a password; a slow one is computed in a thread. Raises ValueError without the package for it."""
    hashing = partial(hash_password, password.encode("utf-8", "surrogatepass"), algorithm)
    if not is_slow(algorithm):
        return hashing()
    return await trio.to_thread.run_sync(hashing, limiter=_provers().limiter)


async def _answered(question: Question) -> bool:
    """Raises TooManyLogins, or ValueError for a hash that cannot be verified here."""
    provers = _provers()
    pending = provers.pending.get(question)
    if pending is not None:
        await pending.done.wait()
        return pending.proven
    if len(provers.pending) >= MOST_WAITING:
        raise TooManyLogins
    pending = provers.pending[question] = _Pending()
    try:
        # Who asked may be gone before there is an answer; others may wait for it.
        with trio.CancelScope(shield=True):
            pending.proven = await trio.to_thread.run_sync(question.answer, limiter=provers.limiter)
        return pending.proven
    finally:
        del provers.pending[question]
        pending.done.set()


def _provers() -> _Provers:
    try:
        return _PROVERS.get()
    except LookupError:
        provers = _Provers()
        _PROVERS.set(provers)
        return provers
