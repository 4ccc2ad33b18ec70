"""The backends in their order, and the users who may connect from this machine only."""

from collections.abc import Collection, Sequence

from amq.auth.backend import Backend
from amq.auth.credentials import Credentials, Refusal
from amq.auth.users import User


class Chain:
    """Asks each backend in turn until one knows the credentials.

    `loopback_users` are names (`loopback_users`) that may only connect from this machine.
    """

    def __init__(self, backends: Sequence[Backend], loopback_users: Collection[str]) -> None:
        self._backends = tuple(backends)
        self._loopback_users = frozenset(loopback_users)

    def login(self, credentials: Credentials, peer_is_loopback: bool) -> User | Refusal:
        """The user, or the last backend's refusal."""
        answer: User | Refusal = Refusal(f"no backend checked '{credentials.shown_name}'")
        for backend in self._backends:
            answer = backend.authenticate(credentials)
            if isinstance(answer, User):
                return self._admit(answer, peer_is_loopback)
        return answer

    def _admit(self, user: User, peer_is_loopback: bool) -> User | Refusal:
        if user.name in self._loopback_users and not peer_is_loopback:
            return Refusal(f"user '{user.name}' can only connect via localhost")
        return user
