"""Exchange types by the name that clients declare them under."""

from amq.exchanges.base import Exchange

TYPES: dict[bytes, type[Exchange]] = {}


def register(cls: type[Exchange]) -> None:
    """Enter a type under its `type_name`. Distributions announce theirs in the entry-point group `amq.exchanges`.

    Raises ValueError when it has no name or another type has it.
    """
    name = cls.type_name.encode()
    if not name:
        raise ValueError(f"{cls.__qualname__} has no type_name")
    if TYPES.setdefault(name, cls) is not cls:
        raise ValueError(f"exchange type {cls.type_name!r} is taken by {TYPES[name].__qualname__}")


def exchange_type(name: bytes) -> type[Exchange] | None:
    """The type of that name, or None."""
    return TYPES.get(name)
