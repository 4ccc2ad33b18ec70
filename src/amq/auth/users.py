"""Users of the internal backend: names, password hashes, tags, limits."""

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Final

import attrs

from amq.auth.passwords import DEFAULT_ALGORITHM, check_hash, hash_password, is_slow
from amq.auth.validation import PasswordRules
from amq.journal import change
from amq.journal.batch import Batch
from amq.journal.change import Change

NO_LIMITS: Final[Mapping[str, int]] = MappingProxyType({})


class UserError(ValueError):
    """A user cannot be added or found; the text says which and why."""


class PasswordRefused(UserError):
    """A password may not be set; the text says why, in RabbitMQ's words."""


def _valid_hash(instance: "User", _attribute: "attrs.Attribute[str]", value: str) -> None:
    try:
        check_hash(value, instance.hashing_algorithm)
    except ValueError as error:
        raise UserError(f"user {instance.name!r}: {error}") from None


def _frozen(limits: Mapping[str, int]) -> Mapping[str, int]:
    return MappingProxyType(dict(limits)) if limits else NO_LIMITS


def _each_once(tags: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(tags))


@attrs.frozen
class User:
    """One user. A connection keeps the User that it logged in as, tags included, as RabbitMQ does.

    `password_hash` is as `hashing_algorithm` has it (`amq.auth.passwords`); empty means no login by password. `limits`
    are at most "max-connections" and "max-channels"; a negative number is no limit. `tags` keep the order
    that they were given in: a client that finds another one, as Terraform does, believes that somebody changed them.
    Raises UserError for a hash that cannot be one.
    """

    name: str
    hashing_algorithm: str = DEFAULT_ALGORITHM
    password_hash: str = attrs.field(default="", repr=False, validator=_valid_hash)
    tags: tuple[str, ...] = attrs.field(default=(), converter=_each_once)
    limits: Mapping[str, int] = attrs.field(default=NO_LIMITS, converter=_frozen, hash=False)

    def may_impersonate(self) -> bool:
        """Whether the user may set another name in the `user_id` property."""
        return "impersonator" in self.tags


class Users:
    """All users by name. Changing one replaces its User; connections that are logged in are not touched.

    `journal` is told of every change. `algorithm` is how passwords are hashed that are set from now on, `rules` say
    which may be set.
    """

    def __init__(self, journal: Batch | None = None) -> None:
        self.algorithm: str = DEFAULT_ALGORITHM
        self.rules = PasswordRules()
        self._journal = journal or Batch(keeps=False)
        self._by_name: dict[str, User] = {}
        # How many have a hash that takes long to verify.
        self._slow: int = 0

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

    def any_slow(self) -> bool:
        """Whether there is a user whose password takes long to verify."""
        return self._slow > 0

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
        user = User(name, hashing_algorithm, password_hash, tags)
        self.put(user)
        return user

    def put(self, user: User) -> None:
        """Take a whole user over, in place of one that has its name.

        Raises UserError for an empty name.
        """
        if not user.name:
            raise UserError("a user needs a name")
        before = self._by_name.get(user.name)
        if before != user:
            self._by_name[user.name] = user
            self._slow += is_slow(user.hashing_algorithm) - (before is not None and is_slow(before.hashing_algorithm))
            self._journal.define(Change(change.USER, "", (user.name,), user, False))

    def check_password(self, password: str) -> None:
        """Raise PasswordRefused for a password that may not be set at run time (`rules`)."""
        problem = self.rules.problem(password)
        if problem is not None:
            raise PasswordRefused(problem)

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
        self.put(attrs.evolve(self._known(name), tags=tags))

    def set_limits(self, name: str, limits: Mapping[str, int]) -> None:
        """Replace the limits; they count from the next connection or channel on.

        Raises UserError for an unknown user.
        """
        self.put(attrs.evolve(self._known(name), limits=limits))

    def delete(self, name: str) -> None:
        """Forget a user. Its permissions belong to the vhosts: `Broker.delete_user` clears them, too.

        Raises UserError for an unknown user.
        """
        user = self._known(name)
        del self._by_name[name]
        self._slow -= is_slow(user.hashing_algorithm)
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
