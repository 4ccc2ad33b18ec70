"""Which bindings match a message: each one is asked, nothing is indexed."""

from amq.wire.tables import INTEGERS, Field, Table


def matches(kind: bytes, binding_key: bytes, arguments: Table, routing_key: bytes, headers: Table) -> bool:
    """Whether a binding of an exchange of that type lets a message with one routing key through."""
    if kind == b"direct":
        return binding_key == routing_key
    if kind == b"topic":
        return topic(words(binding_key), words(routing_key))
    if kind == b"headers":
        return headers_match(arguments, headers)
    return True


def words(key: bytes) -> list[bytes]:
    """What stands between dots; an empty key has no words."""
    return key.split(b".") if key else []


def topic(pattern: list[bytes], key: list[bytes]) -> bool:
    """`*` is one word, `#` any number of them."""
    if not pattern:
        return not key
    if pattern[0] == b"#":
        return any(topic(pattern[1:], key[skipped:]) for skipped in range(len(key) + 1))
    return bool(key) and pattern[0] in (b"*", key[0]) and topic(pattern[1:], key[1:])


def headers_match(arguments: Table, headers: Table) -> bool:
    """All or any of the wanted headers are there, with the wanted value or, for void, with any."""
    mode = arguments.get("x-match", ("S", b"all"))[1]
    found = []
    for name, wanted in arguments.items():
        if name == "x-match" or (name.startswith("x-") and not mode.endswith(b"-with-x")):
            continue
        found.append(name in headers and (wanted[0] == "V" or same(wanted, headers[name])))
    return any(found) if mode.startswith(b"any") else all(found)


def same(one: Field, other: Field) -> bool:
    """Numbers of any width are equal by value; nothing else equals a boolean."""
    if one[0] in INTEGERS and other[0] in INTEGERS:
        return bool(one[1] == other[1])
    return one == other
