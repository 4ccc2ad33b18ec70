"""Users of the internal backend: names, password hashes, tags."""

from collections.abc import Iterable, Iterator

import attrs

from amq.auth.passwords import DEFAULT_ALGORITHM, check_hash, hash_password
from amq.journal import change
from amq.journal.batch import Batch
from amq.journal.change import Change


class UserError(ValueError):
    """A user cannot be added or found; the text says which and why."""


def _valid_hash(instance: "User", _attribute: "attrs.Attribute[str]", value: str) -> None:
    try:
        check_hash(value, instance.hashing_algorithm)
    except ValueError as error:
        raise UserError(f"user {instance.name!r}: {error}") from None


@attrs.frozen
class User:
    """One user. A connection keeps the User that it logged in as, tags included, as RabbitMQ does.

    `password_hash` is in RabbitMQ's form (`amq.auth.passwords`); empty means no login by password.
    Raises UserError for a hash that cannot be one.
    """

    name: str
    hashing_algorithm: str = DEFAULT_ALGORITHM
    password_hash: str = attrs.field(default="", repr=False, validator=_valid_hash)
    tags: frozenset[str] = frozenset()

    def may_impersonate(self) -> bool:
        """Whether the user may set another name in the `user_id` property."""
        return "impersonator" in self.tags


class Users:
    """All users by name. Changing one replaces its User; connections that are logged in are not touched.

    `journal` is told of every change.
    """

    def __init__(self, journal: Batch | None = None) -> None:
        self._journal = journal or Batch(keeps=False)
        self._by_name: dict[str, User] = {}

    def __iter__(self) -> Iterator[User]:
        """Every user, in the order in which they were added."""
        return iter(list(self._by_name.values()))

    def __len__(self) -> int:
        return len(self._by_name)

    def __contains__(self, name: object) -> bool:
        return name in self._by_name

    def get(self, name: str) -> User | None:
        """The user of that name, or None."""
        return self._by_name.get(name)

    def add(
        self,
        name: str,
        password: str | None,
        tags: Iterable[str] = (),
        hashing_algorithm: str = DEFAULT_ALGORITHM,
    ) -> User:
        """A new user; without a password it can log in by certificate only.

        Raises UserError for an empty name, an empty password or a name that is taken.
        """
        if name in self._by_name:
            raise UserError(f"user {name!r} already exists")
        password_hash = "" if password is None else self._hash(name, password, hashing_algorithm)
        user = User(name, hashing_algorithm, password_hash, frozenset(tags))
        self.put(user)
        return user

    def put(self, user: User) -> None:
        """Take a whole user over, in place of one that has its name.

        Raises UserError for an empty name.
        """
        if not user.name:
            raise UserError("a user needs a name")
        if self._by_name.get(user.name) != user:
            self._by_name[user.name] = user
            self._journal.define(Change(change.USER, "", (user.name,), user, False))

    def set_password(self, name: str, password: str | None, hashing_algorithm: str = DEFAULT_ALGORITHM) -> None:
        """Change the password, or with None forbid login by password.

        Raises UserError for an unknown user or an empty password.
        """
        user = self._known(name)
        password_hash = "" if password is None else self._hash(name, password, hashing_algorithm)
        self.put(attrs.evolve(user, hashing_algorithm=hashing_algorithm, password_hash=password_hash))

    def set_tags(self, name: str, tags: Iterable[str]) -> None:
        """Replace the tags.

        Raises UserError for an unknown user.
        """
        self.put(attrs.evolve(self._known(name), tags=frozenset(tags)))

    def delete(self, name: str) -> None:
        """Forget a user. Its permissions belong to the vhosts and are cleared there.

        Raises UserError for an unknown user.
        """
        self._known(name)
        del self._by_name[name]
        self._journal.define(Change(change.USER, "", (name,), None, True))

    def _known(self, name: str) -> User:
        user = self._by_name.get(name)
        if user is None:
            raise UserError(f"user {name!r} does not exist")
        return user

    @staticmethod
    def _hash(name: str, password: str, algorithm: str) -> str:
        # The internal backend refuses blank passwords at login, so one must not be set either.
        if not password:
            raise UserError(f"user {name!r}: the password must not be empty")
        return hash_password(password.encode(), algorithm)
