"""The backends in their order, and the users who may connect from this machine only."""

from collections.abc import Collection, Sequence

import attrs

from amq.auth.backend import Backend
from amq.auth.credentials import Credentials, LoginPeer, Question, Refusal
from amq.auth.users import User


@attrs.define(eq=False)
class Login:
    """A login that goes on when its `question` is answered; `place` is the backend's that asked."""

    credentials: Credentials
    peer: LoginPeer
    question: Question
    place: int


class Chain:
    """Asks each backend in turn until one knows the credentials.

    `loopback_users` are names (`loopback_users`) that may only connect from this machine.
    """

    def __init__(self, backends: Sequence[Backend], loopback_users: Collection[str]) -> None:
        self.loopback_users = frozenset(loopback_users)
        self._backends = tuple(backends)

    def begin(self, credentials: Credentials, peer: LoginPeer) -> User | Refusal | Login:
        """The user, the last backend's refusal, or a login that waits for an answer."""
        return self._ask(credentials, peer, 0, Refusal(f"no backend checked '{credentials.shown_name}'"))

    def go_on(self, login: Login, proven: bool) -> User | Refusal | Login:
        """The same, once the question of that login is answered."""
        answer = self._backends[login.place].conclude(login.credentials, login.question, proven)
        if isinstance(answer, User):
            return self._admit(answer, login.peer)
        return self._ask(login.credentials, login.peer, login.place + 1, answer)

    def _ask(self, credentials: Credentials, peer: LoginPeer, place: int, refusal: Refusal) -> User | Refusal | Login:
        """Ask the backends from that place on; `refusal` is the answer when there is none."""
        for number, backend in enumerate(self._backends[place:], place):
            answer = backend.authenticate(credentials)
            if isinstance(answer, User):
                return self._admit(answer, peer)
            if isinstance(answer, Question):
                return Login(credentials, peer, answer, number)
            refusal = answer
        return refusal

    def _admit(self, user: User, peer: LoginPeer) -> User | Refusal:
        if user.name in self.loopback_users and not peer.loopback:
            return Refusal(f"user '{user.name}' can only connect via localhost")
        return user
