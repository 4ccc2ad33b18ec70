"""A broker that is ready for its first client: with the exchange types of plug-ins and the definitions to be loaded."""

import logging
import secrets
import time
from functools import cache
from importlib.metadata import entry_points
from typing import Final

from amq import exchanges
from amq.auth import argon2id
from amq.broker import Broker
from amq.config.settings import Settings
from amq.definitions.sections import CLUSTER_ID
from amq.definitions.seeding import add_defaults, policy_of
from amq.exchanges.base import Exchange
from amq.journal.batch import Batch
from amq.server.errors import SettingError
from amq.server.importing import has_sources, import_definitions
from amq.vhost import parameters
from amq.vhost.policy import PolicyError

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
    """A broker, born now, without a vhost or a user. Raises SettingError for a hash that cannot be computed here."""
    if settings.password_hashing_module == argon2id.NAME and not argon2id.available():
        raise SettingError("password_hashing_module", "password_hashing_module", argon2id.MISSING)
    enter_exchange_types()
    return Broker(settings, time.monotonic(), time.time(), journal, secrets.token_bytes(32), defaults=False)


def furnish(broker: Broker) -> None:
    """Give a broker what the configuration defines: the default user and vhost unless it has any, and definitions.

    Raises SettingError for what cannot be.
    """
    check_seeds(broker.settings)
    # As in RabbitMQ: whoever brings definitions along brings users and vhosts.
    if has_sources(broker.settings):
        import_definitions(broker)
    elif not broker.vhosts:
        add_defaults(broker)
    if CLUSTER_ID not in broker.global_parameters:
        name = f"rabbitmq-cluster-id-{broker.unique_name().decode()}"
        parameters.set_global(broker.journal, broker.global_parameters, CLUSTER_ID, name)


def check_seeds(settings: Settings) -> None:
    """Whether the policies that new vhosts are to get can be. Raises SettingError."""
    for given in settings.default_policies:
        try:
            policy_of(given)
        except PolicyError as error:
            key = f"default_policies.operator.{given.name}"
            raise SettingError("default_policies", key, str(error)) from None


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
