"""`$(NAME)` within a value: another key's value, or else an environment variable.

RabbitMQ substitutes in this order, and again within what it put in.
"""

import re
from collections.abc import Mapping
from typing import Final

# A name holds no parenthesis; `$(<FILE)` is a whole value and is replaced before.
_REFERENCE: Final = re.compile(r"\$\(([^()]*)\)")


def substitute(value: str, keys: Mapping[str, str], environ: Mapping[str, str]) -> str:
    """The value with every `$(NAME)` replaced, `keys` before `environ`.

    Raises ValueError for a name that is neither, and for names that lead back to themselves.
    """
    return _replaced(value, keys, environ, ())


def _replaced(value: str, keys: Mapping[str, str], environ: Mapping[str, str], within: tuple[str, ...]) -> str:
    def replacement(found: re.Match[str]) -> str:
        name = found[1].strip()
        if name in within:
            raise ValueError(f"$({name}) leads back to itself")
        inner = keys.get(name, environ.get(name))
        if inner is None:
            raise ValueError(f"$({name}) is neither a key of the configuration nor an environment variable")
        return _replaced(inner, keys, environ, (*within, name))

    return _REFERENCE.sub(replacement, value)
