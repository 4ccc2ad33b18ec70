"""The broker inside a Python process, for the tests of programs that use AMQP.

In trio:

    async with amq.embed.serve() as broker:
        await my_program(broker.url)

Anywhere else, asyncio included, the broker runs in a thread of its own:

    with amq.embed.running() as broker:
        connection = pika.BlockingConnection(pika.URLParameters(broker.url))

Both listen on a free port of 127.0.0.1 and start within milliseconds. Keyword arguments are fields of
`amq.config.settings.Settings`: `running(heartbeat=5)`. Everything is kept in memory, unless there is a folder for it:
with `running(data=tmp_path)` what is durable is on disk, and there again in the next one that gets the same folder. The
memory alarm is off: the process belongs to the program. With `running(management=True)`, for which `amq[management]` is
needed, the HTTP API and the console are served, too, at `broker.management_url`.
"""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any

import attrs
import trio

from amq.embedding import CLOSED, STOPPED, Address, EmbeddedBroker, serve
from amq.metrics.journal import JournalStatistics

__all__ = ["Address", "EmbeddedBroker", "ThreadedBroker", "running", "serve"]


@attrs.define(eq=False)
class ThreadedBroker:
    """A broker in a thread of its own, with the levers of EmbeddedBroker. They may be pulled from any thread, also
    from one that runs an event loop: they block for as long as the broker takes, which is less than a millisecond for
    all but `restart`. After the block they raise RuntimeError.
    """

    address: Address
    _embedded: EmbeddedBroker
    _token: trio.lowlevel.TrioToken
    _nursery: trio.Nursery
    _leave: trio.Event

    @property
    def host(self) -> str:
        """Where it listens, as an address."""
        return self.address.host

    @property
    def port(self) -> int:
        """Where it listens."""
        return self.address.port

    @property
    def listening(self) -> bool:
        """Whether clients can connect: not during `restart`, nor after one that failed."""
        return self._embedded.listening

    @property
    def vhost(self) -> str:
        """The vhost that `url` leads to."""
        return self.address.vhost

    @property
    def url(self) -> str:
        """The AMQP URL for the default user."""
        return self.address.url

    def in_vhost(self, name: str) -> "ThreadedBroker":
        """The same broker, seen from a vhost: what `url` leads to. Levers act on the whole broker all the same."""
        return attrs.evolve(self, address=attrs.evolve(self.address, vhost=name))

    @property
    def management_url(self) -> str | None:
        """Where the HTTP API and the console are found, without /api; None when they were not asked for."""
        return self._embedded.management_url

    @property
    def journal_statistics(self) -> JournalStatistics | None:
        """What the journal has done since the start; None without a data folder."""
        return self._embedded.journal_statistics

    def drop_connections(self) -> None:
        """Cut every client's socket without a word, as a network failure does."""
        self._call(self._embedded.drop_connections)

    def close_connections(self, reason: str = CLOSED) -> None:
        """Send `connection.close` 320 with this reason to every client, as an operator does."""
        self._call(partial(self._embedded.close_connections, reason))

    def block_publishers(self) -> None:
        """Raise the memory alarm: clients that publish hear `connection.blocked` and are not read from."""
        self._call(self._embedded.block_publishers)

    def unblock_publishers(self) -> None:
        """Clear the memory alarm: `connection.unblocked`."""
        self._call(self._embedded.unblock_publishers)

    def refuse_logins(self) -> None:
        """Refuse every login from now on, whoever asks; clients that are connected stay."""
        self._call(self._embedded.refuse_logins)

    def accept_logins(self) -> None:
        """Let users in again."""
        self._call(self._embedded.accept_logins)

    def add_vhost(self, name: str) -> None:
        """A new, empty vhost in which the default user may do everything; nothing happens if it is there already."""
        self._call(partial(self._embedded.add_vhost, name))

    def delete_vhost(self, name: str) -> None:
        """Delete a vhost with all that is in it and close the connections to it; a missing one is no error."""
        self._call(partial(self._embedded.delete_vhost, name))

    def restart(self) -> None:
        """Stop and start on the same port; what stays is told at EmbeddedBroker.restart. Blocks until clients can
        connect again. Raises StartError when another program took the port meanwhile.
        """
        self._wait_for(self._start_restart)

    def stop(self) -> None:
        """Begin to end it, unless it has ended; for `amq.embed.running`."""
        with suppress(trio.RunFinishedError):
            self._token.run_sync_soon(self._leave.set)

    def _call(self, action: Callable[[], None]) -> None:
        """Let the broker's thread do something, and wait until it is done."""
        self._wait_for(partial(_do, action))

    def _wait_for(self, begin: "Callable[[Future[None]], None]") -> None:
        done: Future[None] = Future()
        try:
            self._token.run_sync_soon(begin, done)
        except trio.RunFinishedError:
            raise RuntimeError(STOPPED) from None
        done.result()

    def _start_restart(self, done: "Future[None]") -> None:
        try:
            self._nursery.start_soon(self._restart, done)
        except RuntimeError:  # the nursery is closed
            done.set_exception(RuntimeError(STOPPED))

    async def _restart(self, done: "Future[None]") -> None:
        # What goes wrong is the caller's to know; the broker goes on.
        try:
            await self._embedded.restart()
        except Exception as error:
            done.set_exception(error)
        except trio.Cancelled:
            done.set_exception(RuntimeError(STOPPED))
            raise
        else:
            done.set_result(None)


@contextmanager
def running(**settings: Any) -> Iterator[ThreadedBroker]:
    """A broker in a thread of its own, from here to the end of the block, for any kind of program.

    Raises StartError, and TypeError or ValueError for settings that do not exist or are out of range; at the end of the
    block StorageFailed when the disk of its folder has failed.
    """
    started: Future[ThreadedBroker] = Future()
    failures: list[BaseException] = []
    thread = threading.Thread(target=_run_thread, args=(settings, started, failures), name="amq broker", daemon=True)
    try:
        thread.start()
        yield started.result()
    finally:
        # When it is up: Ctrl-C may come before.
        started.add_done_callback(_stop_started)
        # In a process that was forked within the block there is no such thread.
        if thread.is_alive():
            thread.join()
        # Whatever the program has made of it: it did not know why its connections went.
        if failures:
            raise failures[0]


def _stop_started(started: "Future[ThreadedBroker]") -> None:
    if started.exception() is None:
        started.result().stop()


def _run_thread(settings: dict[str, Any], started: "Future[ThreadedBroker]", failures: list[BaseException]) -> None:
    try:
        trio.run(_run_until_stopped, settings, started)
    except BaseException as error:
        if started.done():
            failures.append(error)
            return
        started.set_exception(error)


async def _run_until_stopped(settings: dict[str, Any], started: "Future[ThreadedBroker]") -> None:
    async with serve(**settings) as embedded, trio.open_nursery() as nursery:
        leave = trio.Event()
        token = trio.lowlevel.current_trio_token()
        started.set_result(ThreadedBroker(embedded.address, embedded, token, nursery, leave))
        await leave.wait()


def _do(action: Callable[[], None], done: "Future[None]") -> None:
    try:
        action()
    except Exception as error:
        done.set_exception(error)
    else:
        done.set_result(None)
