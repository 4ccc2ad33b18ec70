"""What an operator says about a vhost as a whole: description, tags, default queue type, deletion protection."""

from collections.abc import Iterable
from typing import Final

from amq.journal import change
from amq.journal.change import Change
from amq.vhost.vhost import Vhost

# Queue types that can be a vhost's default: those that can be made here.
QUEUE_TYPES: Final = ("classic",)
# How RabbitMQ spells that there is none.
NO_QUEUE_TYPE: Final = "undefined"


class MetadataError(ValueError):
    """A vhost cannot be described so; the text says why."""


def check_queue_type(name: str | None) -> str | None:
    """A vhost's default queue type, None for none. Raises MetadataError for one that cannot be made here."""
    if name in (None, "", NO_QUEUE_TYPE):
        return None
    if name not in QUEUE_TYPES:
        raise MetadataError(f"unsupported default queue type '{name}', allowed: {', '.join(QUEUE_TYPES)}")
    return name


def describe(vhost: Vhost, description: str, tags: Iterable[str], default_queue_type: str | None) -> None:
    """Set all of it but the protection; raises MetadataError."""
    described = (description, tuple(tags), check_queue_type(default_queue_type))
    if (vhost.description, vhost.tags, vhost.default_queue_type) != described:
        vhost.description, vhost.tags, vhost.default_queue_type = described
        _tell(vhost)


def protect(vhost: Vhost, protected: bool) -> None:
    """Have deletion of the vhost refused, or allowed again."""
    if vhost.protected_from_deletion != protected:
        vhost.protected_from_deletion = protected
        _tell(vhost)


def _tell(vhost: Vhost) -> None:
    vhost.agenda.journal.define(Change(change.VHOST, vhost.name, (), vhost, False))
