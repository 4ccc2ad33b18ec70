"""Who may log in: the contract of an authentication backend, and the internal one."""

from amq.auth.credentials import Credentials, Refusal
from amq.auth.passwords import verify_password
from amq.auth.users import User, Users


class Backend:
    """Base of every backend. It answers at once; one that must ask elsewhere is asked before, by the shell."""

    def authenticate(self, credentials: Credentials) -> User | Refusal:
        """The user with these credentials, or why there is none."""
        raise NotImplementedError


class Internal(Backend):
    """The broker's own users."""

    def __init__(self, users: Users) -> None:
        self.users = users

    def authenticate(self, credentials: Credentials) -> User | Refusal:
        if credentials.password == b"":
            return Refusal(
                f"user '{credentials.shown_name}' attempted to log in with a blank password, "
                "which is prohibited by the internal authN backend"
            )
        user = self.users.get(credentials.name)
        # An unknown user and a wrong password are one answer, so that the log's reader learns as much as the client.
        if user is None or not _proven(user, credentials.password):
            return Refusal(f"user '{credentials.shown_name}' - invalid credentials")
        return user


def _proven(user: User, password: bytes | None) -> bool:
    # None: TLS has verified the certificate that the name was taken from.
    return password is None or verify_password(password, user.password_hash, user.hashing_algorithm)
