"""AMQP logins that wait for the hash of a password: each in a task of its own, so that its client alone waits."""

import logging
from collections.abc import Callable
from functools import partial
from typing import Final

from amq.auth import proving
from amq.auth.chain import Login
from amq.auth.credentials import Refusal
from amq.auth.users import User
from amq.broker import Broker, Client

LOGGER: Final = logging.getLogger(__name__)


async def decide(broker: Broker, client: Client, login: Login, work: Callable[[Callable[[], None]], None]) -> None:
    """Find out what a client's login waits for, and let it go on; one that is gone meanwhile does not care.

    `work` runs what it is given in the core and sends what comes of it.
    """
    outcome: User | Refusal
    try:
        outcome = await proving.decide(broker.logins, login)
    except Exception:
        # A defect of ours must not take the other clients along.
        LOGGER.exception("a login could not be decided")
        outcome = Refusal("an internal error")
    work(partial(client.login_decided, outcome))
