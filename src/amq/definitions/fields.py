"""Reading fields of a JSON object, with errors that say where in the document they are."""

from typing import Any, Final

from amq.wire.tables import MAX_DEPTH, Field, Table

LONGEST_NAME: Final = 255  # octets, as in a shortstr
INT64: Final = range(-(2**63), 2**63)


class DocumentError(ValueError):
    """A document that is not definitions; the text begins with the place, such as `users[3].password_hash`."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"{path}: {problem}" if path else problem)
        self.path = path


class Fields:
    """The fields of one JSON object at `path`. Every reader raises DocumentError for a wrong type."""

    def __init__(self, value: Any, path: str) -> None:
        if not isinstance(value, dict):
            raise DocumentError(path, f"must be an object, not {kind_of(value)}")
        self.values: dict[str, Any] = value
        self.path = path

    def fault(self, key: str, problem: str) -> DocumentError:
        """The error for a field."""
        return DocumentError(f"{self.path}.{key}" if self.path else key, problem)

    def text(self, key: str, default: str | None = None) -> str:
        """Text; without a default the field must be there."""
        value = self.values.get(key, default)
        if value is None:
            raise self.fault(key, "is missing")
        if not isinstance(value, str):
            raise self.fault(key, f"must be text, not {kind_of(value)}")
        return value

    def name(self, key: str, default: str | None = None) -> bytes:
        """A name or a routing key: text of at most 255 octets in UTF-8."""
        octets = _octets(self.text(key, default))
        if len(octets) > LONGEST_NAME:
            raise self.fault(key, f"has {len(octets)} octets, {LONGEST_NAME} are allowed")
        return octets

    def flag(self, key: str, default: bool) -> bool:
        """true or false."""
        value = self.values.get(key, default)
        if not isinstance(value, bool):
            raise self.fault(key, f"must be true or false, not {kind_of(value)}")
        return value

    def number(self, key: str, default: int | None = None) -> int:
        """An integer of 64 bits; without a default the field must be there."""
        value = self.values.get(key, default)
        if not isinstance(value, int) or isinstance(value, bool) or value not in INT64:
            raise self.fault(key, "must be an integer of 64 bits")
        return value

    def table(self, key: str) -> Table:
        """An object as a field table; empty when it is not there."""
        value = self.values.get(key)
        # RabbitMQ before 3.8 exported an empty table as an empty list.
        if value is None or value == []:
            return {}
        if not isinstance(value, dict):
            raise self.fault(key, f"must be an object, not {kind_of(value)}")
        return _table(value, f"{self.path}.{key}", 0)

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts; empty when it is not there."""
        value = self.values.get(key)
        if value is None:
            return ()
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self.fault(key, "must be a list of texts")
        return tuple(value)

    def has(self, key: str) -> bool:
        """Whether it is there and not null."""
        return self.values.get(key) is not None

    def value(self, key: str) -> Any:
        """Any value of JSON, which must be there."""
        if key not in self.values:
            raise self.fault(key, "is missing")
        return self.values[key]

    def objects(self, key: str) -> "list[Fields]":
        """A list of objects; empty when it is not there."""
        value = self.values.get(key)
        if value is None:
            return []
        if not isinstance(value, list):
            raise self.fault(key, f"must be a list, not {kind_of(value)}")
        base = f"{self.path}.{key}" if self.path else key
        return [Fields(item, f"{base}[{number}]") for number, item in enumerate(value)]


def _table(value: dict[str, Any], path: str, depth: int) -> Table:
    if depth > MAX_DEPTH:
        raise DocumentError(path, f"tables nested deeper than {MAX_DEPTH}")
    table: Table = {}
    for key, item in value.items():
        octets = _octets(key)
        if len(octets) > LONGEST_NAME:
            raise DocumentError(path, f"a key has more than {LONGEST_NAME} octets")
        # As a key that came over the wire.
        table[octets.decode("utf-8", "surrogateescape")] = _field(item, f"{path}.{key}", depth)
    return table


def _field(value: Any, path: str, depth: int) -> Field:
    """JSON to AMQP as RabbitMQ's import does it; null, which RabbitMQ refuses, becomes void."""
    if value is None:
        return "V", None
    if isinstance(value, bool):
        return "t", value
    if isinstance(value, int):
        if value not in INT64:
            raise DocumentError(path, "does not fit into 64 bits")
        return "l", value
    if isinstance(value, float):
        return "d", value
    if isinstance(value, str):
        return "S", _octets(value)
    if isinstance(value, list):
        if depth >= MAX_DEPTH:
            raise DocumentError(path, f"tables nested deeper than {MAX_DEPTH}")
        return "A", [_field(item, f"{path}[{number}]", depth + 1) for number, item in enumerate(value)]
    return "F", _table(value, path, depth + 1)


def _octets(text: str) -> bytes:
    # JSON can escape half a surrogate pair; it is no text, but it must not stop an import.
    return text.encode("utf-8", "surrogatepass")


def kind_of(value: Any) -> str:
    """What a value of JSON is, in words."""
    kinds: dict[type, str] = {type(None): "null", bool: "true or false", str: "text", list: "a list", dict: "an object"}
    return kinds.get(type(value), "a number")
