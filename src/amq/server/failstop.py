"""The end of a broker whose disk has failed: every client is told, and then nothing more is done.

What a failed write or sync has lost stays lost, however often it is repeated, and whatever is confirmed after it may
be lost too. So the process ends; it must not end in good order, which might wait for that disk for ever.
"""

import logging
import os
import threading
from collections.abc import Callable
from functools import partial
from typing import Final, NoReturn

import trio

from amq.broker import Broker
from amq.errors import INTERNAL_ERROR
from amq.server.errors import StorageFailed
from amq.server.server import Server

LOGGER: Final = logging.getLogger(__name__)

# Exit status after a failure of the disk: EX_SOFTWARE, which a service manager answers with a restart.
STORAGE_FAILED: Final = 70
# What connection.close says; which file it was is for the operator.
REASON: Final = "the broker's disk has failed"
# How long clients have to answer it, and how much longer anything at all may take, in s.
GRACE: Final = 0.5
HANGING: Final = 1.0


async def fail_stop(server: Server, error: StorageFailed, leave: Callable[[int], object] = os._exit) -> None:
    """Log the failure, tell every client and end the process with status 70, whatever hangs or goes wrong meanwhile.

    Does not return.
    """
    # A log on the same disk may hang; this thread needs neither the log nor the loop.
    watchdog = threading.Timer(GRACE + HANGING, leave, [STORAGE_FAILED])
    watchdog.daemon = True
    try:
        watchdog.start()
        await _say_farewell(server, error)
    finally:
        # Also when this task is cancelled, because every client has answered and the server is through.
        watchdog.cancel()
        leave(STORAGE_FAILED)


async def raise_out(server: Server, error: StorageFailed) -> NoReturn:
    """The same for a broker in somebody else's process: raises the error, out of the nursery that this runs in."""
    try:
        await _say_farewell(server, error)
    finally:
        raise error


async def _say_farewell(server: Server, error: StorageFailed) -> None:
    """Tell every client, accept nobody any more, and give them time to answer.

    When all have answered, `server.run` ends and cancels what runs beside it.
    """
    LOGGER.critical("%s", error)
    server.work(partial(_tell, server.broker))
    server.stop(GRACE)
    await trio.sleep(GRACE)


def _tell(broker: Broker) -> None:
    for client in list(broker.clients):
        client.force_close(REASON, INTERNAL_ERROR)
