"""Messages that tell who sent them: the name says what body and properties belong to it, so any change is seen."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Mapping
from typing import Any, Final

import attrs

FILLER: Final = random.Random(1).randbytes(1 << 18)
DIGEST_SIZE: Final = 20


@attrs.frozen
class Name:
    """What the message-id property says: publisher, its counter, octets of body, delivery mode and priority."""

    publisher: str
    counter: int
    size: int
    persistent: bool
    priority: int

    def __str__(self) -> str:
        return f"{self.publisher}|{self.counter}|{self.size}|{2 if self.persistent else 1}|{self.priority}"

    @classmethod
    def parse(cls, text: str) -> Name:
        """The inverse of str(); ValueError for anything else."""
        publisher, counter, size, mode, priority = text.split("|")
        return cls(publisher, int(counter), int(size), mode == "2", int(priority))


def body_of(name: str) -> bytes:
    """The only body that belongs to this name: SHA-1 over name and filler, then the filler; cut where it is short."""
    size = Name.parse(name).size
    start = int.from_bytes(hashlib.sha1(name.encode()).digest()[:4], "big") % len(FILLER)
    length = max(size - DIGEST_SIZE, 0)
    filler = FILLER[start : start + length]
    filler += FILLER[: length - len(filler)]
    return (hashlib.sha1(name.encode() + filler).digest() + filler)[:size]


def properties_of(name: str) -> dict[str, Any]:
    """The basic properties that a message of this name is published with."""
    parsed = Name.parse(name)
    return {"delivery_mode": 2 if parsed.persistent else 1, "priority": parsed.priority, "message_id": name}


def intact(body: bytes, properties: Mapping[str, Any]) -> bool:
    """Whether body and properties are those that the message's name demands."""
    try:
        expected = properties_of(properties["message_id"])
    except (KeyError, ValueError):
        return False
    same = all(properties.get(key) == value for key, value in expected.items())
    return same and body == body_of(expected["message_id"])
