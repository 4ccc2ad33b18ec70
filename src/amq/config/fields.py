"""Makers of fields for settings: a default, a check, and in the metadata what is allowed and what it means.

Errors and the reference page take both from the metadata (`allowed`, `help`), so that they cannot disagree.
"""

from typing import Any

import attrs


def about(allowed: str, meaning: str) -> dict[str, str]:
    """Metadata of a field: what is `allowed`, and what it means (`help`)."""
    return {"allowed": allowed, "help": meaning}


def free(default: object, allowed: str, meaning: str) -> Any:
    """A field whose value is right once it is read."""
    return attrs.field(default=default, metadata=about(allowed, meaning))


def filled(default: str, meaning: str, *, secret: bool = False) -> Any:
    """A field for text that is not empty; a secret is not shown by `repr`."""

    def check(_instance: object, _attribute: "attrs.Attribute[Any]", value: str) -> None:
        if not value:
            raise ValueError("must not be empty")

    return attrs.field(default=default, validator=check, repr=not secret, metadata=about("text", meaning))


def whole(default: int | None, low: int, high: int, unit: str, meaning: str, *, besides: int | str = "") -> Any:
    """A field for a whole number from `low` to `high`.

    `besides` is one more number that is allowed, or the words for None, which then is allowed too.
    """
    allowed = f"{low} to {high} {unit}".rstrip()
    if besides != "":
        allowed += f", or {besides}"

    def check(_instance: object, _attribute: "attrs.Attribute[Any]", value: object) -> None:
        if value is None and isinstance(besides, str) and besides:
            return
        if isinstance(value, bool) or not isinstance(value, int):
            raise ValueError(f"{value!r} is not a whole number")
        if not low <= value <= high and value != besides:
            raise ValueError(f"{value} is out of range")

    return attrs.field(default=default, validator=check, metadata=about(allowed, meaning))


def share(default: float, meaning: str) -> Any:
    """A field for a share of something, 0 to 1."""

    def check(_instance: object, _attribute: "attrs.Attribute[Any]", value: float) -> None:
        if not 0 <= value <= 1:
            raise ValueError(f"{value} is out of range")

    return attrs.field(default=default, validator=check, metadata=about("0.0 to 1.0", meaning))


def one_of(default: str, allowed: tuple[str, ...], meaning: str) -> Any:
    """A field for one of a few words."""

    def check(_instance: object, _attribute: "attrs.Attribute[Any]", value: object) -> None:
        if value not in allowed:
            raise ValueError(f"{value!r} is not known")

    return attrs.field(default=default, validator=check, metadata=about(", ".join(allowed), meaning))


def some_of(default: tuple[str, ...], allowed: tuple[str, ...], meaning: str) -> Any:
    """A field for some of a few words, in order."""

    def check(_instance: object, _attribute: "attrs.Attribute[Any]", value: tuple[str, ...]) -> None:
        for word in value:
            if word not in allowed:
                raise ValueError(f"{word!r} is not known")

    return attrs.field(default=default, validator=check, metadata=about(", ".join(allowed), meaning))
