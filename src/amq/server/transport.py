"""Between a socket and a Connection: the only place where a message's way waits.

    read a chunk -> connection.receive -> everything that this chunk caused, on every socket, is sent

Sending is tried at once, without a task switch; only what a socket does not take is sent when it has room. A socket is
not read from while its connection does not want data, and a publisher that runs ahead of its consumers gives them a
moment before it is read from again. How a socket is waited for is for those that derive from Transport.
"""

import time
from collections.abc import Callable
from typing import Final

import attrs

from amq.broker import Broker
from amq.connection.connection import Connection
from amq.connection.outbox import Piece
from amq.interpreter import AT_ONCE
from amq.queues.base import Queue

# Octets read at once: at first, at least, and at most. A chunk is finished before anybody else gets a turn, so a client
# whose chunks take longer than TOO_LONG is read in smaller ones, and one whose chunks are done by QUICK in larger ones.
FIRST_CHUNK: Final = 1 << 14
LEAST_CHUNK: Final = 1 << 10
CHUNK: Final = min(AT_ONCE, 1 << 17)
TOO_LONG: Final = 0.004  # seconds
QUICK: Final = 0.002  # seconds
# Rounds of sending and refilling before others get their turn, and octets: a long body is sent in parts.
ROUNDS: Final = 8
TURN: Final = 1 << 20
# How long a publisher gives way (s): while its consumers take something, and at most.
STALLED: Final = 0.001
GIVE_WAY: Final = 0.005
# So often it may find that they took nothing; then it does not give way for a while: at first, and at most, in s.
STALLS: Final = 4
IMPATIENT: Final = 0.001
MOST_IMPATIENT: Final = 0.064
# How long a client may take to read what is left when its connection has ended, in s; and to end its side then.
LAST_WORDS: Final = 3.0
LAST_LOOK: Final = 1.0


def send_all(broker: Broker) -> None:
    """Send what stands in the outboxes of all clients, as far as their sockets take it.

    To the first one first: a message goes out before its confirm.
    """
    writable = broker.writable
    while writable:
        clients = writable[:]
        writable.clear()
        for client in clients:
            transport = client.shell
            if isinstance(transport, Transport):
                transport.push()


@attrs.define(eq=False)
class Transport:
    """Moves octets between a socket and a connection. `flush` sends what stands in all outboxes."""

    connection: Connection
    flush: Callable[[], None]
    # What the socket did not take; while there is something, nothing else is sent.
    _rest: Piece = attrs.field(default=b"", init=False)
    # Nothing is read: the connection does not want data.
    _held: bool = attrs.field(default=False, init=False)
    _chunk: int = attrs.field(default=FIRST_CHUNK, init=False)
    # The queue whose consumers are given way to, how far they may lag behind, what they had taken when it was last
    # looked at, since when (s) that is so, and since when they are waited for.
    _pressed: Queue | None = attrs.field(default=None, init=False)
    _lag: int = attrs.field(default=0, init=False)
    _taken: int = attrs.field(default=0, init=False)
    _moved: float = attrs.field(default=0.0, init=False)
    _began: float = attrs.field(default=0.0, init=False)
    # How often in a row this client waited for consumers that took nothing, and until when it gives way to nobody.
    _stalls: int = attrs.field(default=0, init=False)
    _impatient: float = attrs.field(default=0.0, init=False)

    # -- for those who derive --

    def write_some(self, data: Piece) -> int:
        """Send without waiting; returns how many octets were taken. Raises OSError."""
        raise NotImplementedError

    def want_room(self) -> None:
        """`_rest` is to be sent when the socket has room, and then `relieved` to be called."""
        raise NotImplementedError

    def read_on(self) -> None:
        """The connection wants data again."""
        raise NotImplementedError

    def fail(self) -> None:
        """The socket is broken."""
        raise NotImplementedError

    def depart(self) -> None:
        """The connection has ended: what is left is to be sent, and the socket closed in good order."""
        raise NotImplementedError

    # -- out --

    def push(self) -> None:
        """Send what stands in the outbox, as far as the socket takes it now."""
        connection = self.connection
        outbox = connection.outbox
        rounds = 0
        sent = 0
        while not self._rest:
            data = outbox.take()
            if not data:
                break
            try:
                taken = self.write_some(data)
            except OSError:
                self.fail()
                return
            if taken < len(data):
                self._rest = memoryview(data)[taken:]
                break
            connection.written(time.monotonic())
            rounds += 1
            sent += taken
            if rounds > ROUNDS or sent > TURN:
                # It goes on after everybody else had a turn.
                self._rest = outbox.take()
        outbox.noted = bool(self._rest)
        if connection.finished:
            self.depart()
            return
        if self._rest:
            self.want_room()
        if self._held and connection.wants_data():
            self._held = False
            self.read_on()

    def relieved(self) -> None:
        """The rest has been sent."""
        self._rest = b""
        self.connection.written(time.monotonic())
        self.push()
        # What it made room for may have set off something for others.
        self.flush()

    # -- in --

    def feed(self, data: bytes) -> None:
        """Work through a chunk, and send what it caused."""
        began = time.monotonic()
        if self.connection.receive(data, began):
            self._measure(time.monotonic() - began)
            self.flush()
        self._held = not self.connection.wants_data()

    def _measure(self, seconds: float) -> None:
        """A chunk took so long: choose the size of the next one."""
        if seconds > TOO_LONG:
            self._chunk = max(self._chunk >> 1, LEAST_CHUNK)
        elif seconds < QUICK and self._chunk < CHUNK:
            self._chunk <<= 1

    def gives_way(self) -> bool:
        """Whether to wait before reading on, while consumers take from a queue that this client runs ahead of, but not
        for one that is slow by itself: until `gave_way`.
        """
        pressed = self.connection.pressed()
        if pressed is None:
            return False
        now = time.monotonic()
        if now < self._impatient:
            return False
        self._pressed, self._lag = pressed
        self._taken = self._pressed.taken
        self._began = self._moved = now
        return True

    def gave_way(self, now: float) -> bool:
        """Whether it has waited long enough."""
        queue = self._pressed
        if queue is None or queue.ready_count() <= self._lag:
            pass
        elif queue.taken != self._taken:
            self._taken = queue.taken
            self._moved = now
            self._stalls = 0
            if now - self._began <= GIVE_WAY:
                return False
        elif now - self._moved > STALLED:
            self._lose_patience(now)
        elif now - self._began <= GIVE_WAY:
            return False
        self._pressed = None
        return True

    def _lose_patience(self, now: float) -> None:
        """Slow consumers are waited for less and less often."""
        self._stalls += 1
        if self._stalls > STALLS:
            doublings = min(self._stalls - STALLS, 10)
            self._impatient = now + min(IMPATIENT * 2**doublings, MOST_IMPATIENT)
