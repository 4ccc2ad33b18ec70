"""Who may log in: the contract of an authentication backend, and the internal one."""

from amq.auth import argon2id
from amq.auth.credentials import Credentials, Question, Refusal
from amq.auth.passwords import is_slow, pretend_to_verify, verify_password
from amq.auth.proven import Proven
from amq.auth.users import User, Users


class Backend:
    """Base of every backend. It answers at once, or with a question that is answered away from the event loop."""

    def authenticate(self, credentials: Credentials) -> User | Refusal | Question:
        """The user with these credentials, why there is none, or what has to be found out first."""
        raise NotImplementedError

    def conclude(self, credentials: Credentials, question: Question, proven: bool) -> User | Refusal:
        """The same, once its question is answered."""
        raise NotImplementedError


class Internal(Backend):
    """The broker's own users. What was `proven` a short while ago is not proven again.

    Whoever is refused has cost the same work, whether there is a user of that name or not: once there are users whose
    hashes are slow, everybody who fails waits for a slow one.
    """

    def __init__(self, users: Users, proven: Proven) -> None:
        self.users = users
        self.proven = proven

    def authenticate(self, credentials: Credentials) -> User | Refusal | Question:
        user = self.users.get(credentials.name)
        password = credentials.password
        if password is None:
            # TLS has verified the certificate that the name was taken from.
            return user or invalid(credentials)
        if password == b"":
            return Refusal(
                f"user '{credentials.shown_name}' attempted to log in with a blank password, "
                "which is prohibited by the internal authN backend"
            )
        if user is not None and user.password_hash and is_slow(user.hashing_algorithm):
            if self.proven.knows(user.name, password, user.password_hash):
                return user
            return Question(password, user.password_hash, user.hashing_algorithm)
        if user is None or not user.password_hash:
            pretend_to_verify(password)
        elif verify_password(password, user.password_hash, user.hashing_algorithm):
            return user
        if self.users.any_slow():
            return Question(password, argon2id.DECOY, argon2id.NAME)
        return invalid(credentials)

    def conclude(self, credentials: Credentials, question: Question, proven: bool) -> User | Refusal:
        user = self.users.get(credentials.name)
        # It may have been deleted or got another password meanwhile.
        if user is None or not proven or user.password_hash != question.password_hash:
            return invalid(credentials)
        self.proven.remember(user.name, question.password, user.password_hash)
        return user


def invalid(credentials: Credentials) -> Refusal:
    """An unknown user and a wrong password are one answer, so that the log's reader learns as much as the client."""
    return Refusal(f"user '{credentials.shown_name}' - invalid credentials")
