"""A broker that is ready for its first client: with the exchange types of plug-ins and the definitions to be loaded."""

import logging
import secrets
import time
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import Final

from amq import exchanges
from amq.broker import Broker
from amq.config.settings import Settings
from amq.definitions.apply import apply
from amq.definitions.parse import parse
from amq.definitions.fields import DocumentError
from amq.exchanges.base import Exchange
from amq.journal.batch import Batch
from amq.server.errors import SettingError

LOGGER: Final = logging.getLogger(__name__)

PLUGINS: Final = "amq.exchanges"


def new_broker(settings: Settings) -> Broker:
    """A broker for a server, born now.

    Raises SettingError for definitions that cannot be loaded.
    """
    broker = bare_broker(settings, None)
    furnish(broker)
    return broker


def bare_broker(settings: Settings, journal: Batch | None) -> Broker:
    """A broker, born now, without a vhost or a user."""
    enter_exchange_types()
    return Broker(settings, time.monotonic(), time.time(), journal, secrets.token_bytes(32), defaults=False)


def furnish(broker: Broker) -> None:
    """Give a broker what the configuration defines: the default user and vhost unless it has any, and definitions.

    Raises SettingError for definitions that cannot be loaded.
    """
    settings = broker.settings
    # As in RabbitMQ: whoever brings definitions along brings users and vhosts.
    if settings.load_definitions is not None:
        load_definitions(settings.load_definitions, broker)
    elif not broker.vhosts:
        broker.add_defaults()


def load_definitions(path: str, broker: Broker) -> None:
    """Make the broker have what a file in RabbitMQ's format (UTF-8) defines (`load_definitions`).

    It has the default user and vhost only when the file defines no user.
    Raises SettingError.
    """
    try:
        document = parse(Path(path).read_text("utf-8-sig"))
        if not document.users and not broker.vhosts:
            # Nobody could log in; RabbitMQ leaves it at that.
            broker.add_defaults()
        warnings = apply(document, broker)
    except OSError as error:
        raise _wrong(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise _wrong(f"{path}: not UTF-8 text: {error.reason} at octet {error.start}") from None
    except DocumentError as error:
        raise _wrong(f"{path}: {error}") from None
    for warning in warnings:
        LOGGER.warning("load_definitions: %s: %s", path, warning)


def _wrong(problem: str) -> SettingError:
    return SettingError("load_definitions", "load_definitions", problem)


@cache
def enter_exchange_types() -> None:
    """Register the exchange types of installed distributions; one that fails is logged and left out."""
    for entry in entry_points(group=PLUGINS):
        try:
            kind = entry.load()
            if not (isinstance(kind, type) and issubclass(kind, Exchange)):
                raise TypeError(f"{kind!r} is no subclass of amq.exchanges.base.Exchange")
            exchanges.register(kind)
        except Exception:
            # Whatever a plug-in does wrong: the broker starts without it.
            LOGGER.exception("exchange type %s of %s cannot be used", entry.name, entry.value)
