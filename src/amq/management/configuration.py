"""What the broker runs with: /config/effective. Secrets are left out."""

from typing import Any, Final

import attrs

from amq.config import values
from amq.config.keys import KEYS, PARTS, Key
from amq.config.settings import Settings
from amq.management.answers import Answer, ok
from amq.management.call import Call
from amq.management.endpoint import ADMINISTRATOR, Endpoint, Schema

SETTINGS: Final[Schema] = {"type": "object"}


async def effective(call: Call) -> Answer:
    """GET /config/effective."""
    settings = call.node.broker.settings
    return ok({key.name: shown(value_of(settings, key)) for key in KEYS if not (key.many or is_secret(key))})


def value_of(settings: Settings, key: Key) -> Any:
    """What a key stands at; None for a part of something that is not set."""
    owner, _, part = key.field.partition(".")
    value = getattr(settings, owner)
    return getattr(value, part, None) if part else value


def is_secret(key: Key) -> bool:
    """Whether a value must not be shown, or the key is for none."""
    owner, _, part = key.field.partition(".")
    fields = attrs.fields_dict(PARTS[owner] if part else Settings)
    return key.parse is values.none or not fields[part or owner].repr


def shown(value: Any) -> Any:
    """A value as JSON shows it."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, set | frozenset):
        return sorted(map(str, value))
    if isinstance(value, tuple | list):
        return [shown(each) for each in value]
    return str(value)


TABLE: Final = (
    Endpoint(
        "GET",
        "/config/effective",
        ADMINISTRATOR,
        effective,
        "What the broker runs with, by the keys of the configuration; secrets are left out",
        {200: SETTINGS},
    ),
)
