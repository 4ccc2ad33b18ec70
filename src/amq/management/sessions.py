"""Who is signed in to the console: cookies that say nothing by themselves, and what each stands for.

A session ends when it is signed out, when its time is over, and when its user is deleted or gets another password.
Tags are those that the user has now. Only digests of the cookies are kept.
"""

import secrets
import time
from collections.abc import Callable
from hashlib import sha256
from http.cookies import CookieError, SimpleCookie
from typing import Final

import attrs

from amq.auth.users import User, Users

COOKIE: Final = "amq_session"
# Whoever signs in then ends the oldest session.
MOST: Final = 1000
MOST_OF_A_USER: Final = 50
OCTETS: Final = 32


@attrs.frozen
class Session:
    """A sign-in of a user whose password had that hash then; good until `ends` (monotonic s)."""

    name: str
    password_hash: str = attrs.field(repr=False)
    ends: float


@attrs.define(eq=False)
class Sessions:
    """All sessions, oldest first. Each is good for `lifetime` s."""

    users: Users
    lifetime: float
    now: Callable[[], float] = time.monotonic
    _by_digest: dict[bytes, Session] = attrs.field(factory=dict, init=False)

    def __len__(self) -> int:
        return len(self._by_digest)

    def begin(self, user: User) -> str:
        """Sign a user in; returns what its cookie holds, which nobody can guess."""
        self._forget_the_old(user.name)
        token = secrets.token_urlsafe(OCTETS)
        self._by_digest[_digest(token)] = Session(user.name, user.password_hash, self.now() + self.lifetime)
        return token

    def user(self, token: str) -> User | None:
        """Who is signed in with that cookie, or None."""
        digest = _digest(token)
        session = self._by_digest.get(digest)
        if session is None:
            return None
        user = self.users.get(session.name)
        if user is None or user.password_hash != session.password_hash or self.now() >= session.ends:
            del self._by_digest[digest]
            return None
        return user

    def end(self, token: str) -> None:
        """Sign out. A cookie that stands for nothing is no mistake."""
        self._by_digest.pop(_digest(token), None)

    def _forget_the_old(self, name: str) -> None:
        now = self.now()
        for digest in [digest for digest, session in self._by_digest.items() if now >= session.ends]:
            del self._by_digest[digest]
        own = [digest for digest, session in self._by_digest.items() if session.name == name]
        for digest in own[: max(len(own) - MOST_OF_A_USER + 1, 0)]:
            del self._by_digest[digest]
        while len(self._by_digest) >= MOST:
            del self._by_digest[next(iter(self._by_digest))]


def token_in(header: str | None) -> str | None:
    """What the cookie of a session holds in a `Cookie` header, or None."""
    if not header:
        return None
    try:
        found = SimpleCookie(header).get(COOKIE)
    except CookieError:
        return None
    return None if found is None else found.value


def set_cookie(token: str, path: str, secure: bool, lifetime: int) -> str:
    """A `Set-Cookie` header that scripts cannot read and other sites' pages do not send; `lifetime` in s, 0 to end."""
    flags = "; Secure" if secure else ""
    return f"{COOKIE}={token}; Path={path or '/'}; Max-Age={lifetime}; HttpOnly; SameSite=Strict{flags}"


def _digest(token: str) -> bytes:
    return sha256(token.encode("utf-8", "surrogateescape")).digest()
