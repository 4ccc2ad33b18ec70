"""Every login, whatever protocol it comes by: may its source try, do the credentials hold, and what is counted.

Does nothing that takes long: a login that needs a slow hash becomes a `Login`, whose question somebody else answers.
"""

from collections.abc import Sequence

from amq.auth.attempts import Attempts
from amq.auth.backend import Backend, Internal
from amq.auth.chain import Chain, Login
from amq.auth.credentials import Credentials, LoginPeer, Refusal
from amq.auth.proven import Proven
from amq.auth.users import User, Users
from amq.clock import Clock
from amq.config.settings import Settings


class Logins:
    """The way in. `begin`, and while the answer is a Login, `go_on` with what its question was answered.

    `backends` are asked, by default the broker's own users.
    """

    __slots__ = ("clock", "chain", "attempts", "proven")

    def __init__(
        self, users: Users, settings: Settings, clock: Clock, backends: Sequence[Backend] | None = None
    ) -> None:
        self.clock = clock
        self.proven = Proven(clock, settings.logins.cache_ttl / 1000)
        self.chain = Chain(backends or [Internal(users, self.proven)], settings.loopback_users)
        self.attempts = Attempts(clock, settings.logins.attempts_burst, settings.logins.attempts_per_minute / 60)

    def adopt(self, settings: Settings) -> None:
        """Go by other settings from now on; who has failed too often has done so by the old ones."""
        self.attempts.burst = settings.logins.attempts_burst
        self.attempts.refill = settings.logins.attempts_per_minute / 60
        self.proven.lifetime = settings.logins.cache_ttl / 1000
        if self.proven.lifetime == 0:
            self.proven.forget()
        self.chain.loopback_users = settings.loopback_users

    def begin(self, credentials: Credentials, peer: LoginPeer) -> User | Refusal | Login:
        """A client wants in."""
        wait = self.attempts.admit(peer.address)
        if wait:
            self.attempts.failed(peer.address, credentials.shown_name, peer.protocol, False)
            return Refusal(f"user '{credentials.shown_name}' - too many failed logins from {peer.address}", wait)
        return self._noted(self.chain.begin(credentials, peer), credentials, peer)

    def go_on(self, login: Login, proven: bool) -> User | Refusal | Login:
        """The question of that login is answered."""
        return self._noted(self.chain.go_on(login, proven), login.credentials, login.peer)

    def _noted(
        self, answer: User | Refusal | Login, credentials: Credentials, peer: LoginPeer
    ) -> User | Refusal | Login:
        if isinstance(answer, User):
            self.attempts.succeeded(peer.address, credentials.shown_name, peer.protocol)
        elif isinstance(answer, Refusal):
            self.attempts.failed(peer.address, credentials.shown_name, peer.protocol, True)
        return answer
