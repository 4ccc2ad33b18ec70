"""Settings in the environment: AMQ's variables, and those that RabbitMQ and its container image know."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from amq.config.keys import KEYS, Key

PREFIX: Final = "AMQ_"
# What the command line asks a broker with; the broker itself has no use for it.
OF_THE_COMMAND_LINE: Final = {"AMQ_URL", "AMQ_AMQP_URL"}
# Variables of RabbitMQ's container image, and the keys that they stand for.
RABBITMQ: Final = {
    "RABBITMQ_NODENAME": "node_name",
    "RABBITMQ_DEFAULT_USER": "default_user",
    "RABBITMQ_DEFAULT_PASS": "default_pass",
    "RABBITMQ_DEFAULT_VHOST": "default_vhost",
}
NODE_ADDRESS: Final = "RABBITMQ_NODE_IP_ADDRESS"
NODE_PORT: Final = "RABBITMQ_NODE_PORT"


def rabbitmq_listener(environ: Mapping[str, str]) -> tuple[str, str] | None:
    """Origin and text of the one listener that RabbitMQ's variables ask for, or None.

    An address alone means port 5672, a port alone every interface.
    """
    address, port = environ.get(NODE_ADDRESS, ""), environ.get(NODE_PORT, "")
    if not address and not port:
        return None
    origin = " ".join(name for name in (NODE_ADDRESS, NODE_PORT) if environ.get(name))
    return f"environment {origin}", f"{address}:{port or 5672}" if address else port


def find(name: str) -> tuple[Key, str] | None:
    """The key that a variable means, and the word in the place of its `$`; None when there is none.

    Dots are written as `__` or `_`. A free word is lower case unless the variable spells it otherwise.
    """
    for key, spelling in _SPELLINGS:
        found = spelling.fullmatch(name)
        if found:
            word = found[1] if key.many else ""
            return key, word.lower() if word.isupper() else word
    return None


def ours(environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Name and text of every variable of the broker's that begins with AMQ_, by name."""
    names = [name for name in sorted(environ) if name.startswith(PREFIX) and name not in OF_THE_COMMAND_LINE]
    return ((name, environ[name]) for name in names)


def spelled(key: Key) -> str:
    """The variable for a key."""
    return PREFIX + key.name.upper().replace(".", "__")


def _spelling(key: Key) -> re.Pattern[str]:
    words = ["(.+)" if word.startswith("$") else re.escape(word) for word in key.name.split(".")]
    return re.compile(PREFIX + "__?".join(words), re.IGNORECASE)


_SPELLINGS: Final = [(key, _spelling(key)) for key in sorted(KEYS, key=lambda key: key.many)]
