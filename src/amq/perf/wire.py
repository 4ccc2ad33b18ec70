"""A connection's octets: TCP or TLS. What a socket does not take at once, a writer sends; readers never wait for it."""

import os
import ssl
from typing import Final

import trio

from amq.perf.load import Address

CHUNK: Final = 1 << 18  # octets read at once
PATIENCE: Final = 10.0  # seconds for a connection to come about

Stream = trio.SocketStream | trio.SSLStream[trio.SocketStream]
BROKEN: Final = (OSError, trio.BrokenResourceError, trio.ClosedResourceError, ssl.SSLError)


async def connect(address: Address, context: ssl.SSLContext) -> "Wire":
    """A connection; `context` is for amqps. Raises OSError or trio.BrokenResourceError."""
    with trio.fail_after(PATIENCE):
        plain = await trio.open_tcp_stream(address.host, address.port)
        plain.setsockopt(trio.socket.IPPROTO_TCP, trio.socket.TCP_NODELAY, 1)
        if not address.tls:
            return Wire(plain)
        secure = trio.SSLStream(plain, context, server_hostname=address.host, https_compatible=True)
        try:
            await secure.do_handshake()
        except BaseException:
            await trio.aclose_forcefully(plain)
            raise
        return Wire(secure)


class Wire:
    """What is to be sent stands in `rest` until the socket takes it."""

    def __init__(self, stream: Stream) -> None:
        self._stream: Final = stream
        self._fd: Final = stream.socket.fileno() if isinstance(stream, trio.SocketStream) else -1
        self._rest = bytearray()
        self._wake = trio.Event()
        self._empty = trio.Event()
        self._empty.set()
        self.sent_anything: bool = False

    @property
    def waiting(self) -> int:
        """Octets that the socket has not taken yet."""
        return len(self._rest)

    async def read(self) -> bytes:
        """The next octets; empty at the end. Raises one of BROKEN."""
        if self._fd < 0:
            return bytes(await self._stream.receive_some(CHUNK))
        while True:
            await trio.lowlevel.wait_readable(self._fd)
            try:
                return os.read(self._fd, CHUNK)
            except BlockingIOError:
                continue

    def push(self, data: bytes | bytearray) -> None:
        """Send, now or later. Raises OSError."""
        self.sent_anything = True
        if self._rest:
            self._rest += data
            return
        taken = self._some(data)
        if taken < len(data):
            self._rest += memoryview(data)[taken:]
            self._empty = trio.Event()
            self._wake.set()

    async def drained(self) -> None:
        """Wait until the socket has taken everything. A checkpoint in any case."""
        if self._rest:
            await self._empty.wait()
        else:
            await trio.lowlevel.checkpoint()

    async def write_on(self) -> None:
        """The writer: sends what is left over, for ever. Raises one of BROKEN."""
        while True:
            await self._wake.wait()
            self._wake = trio.Event()
            while self._rest:
                await self._write()
            self._empty.set()

    async def _write(self) -> None:
        if self._fd < 0:
            piece = bytes(self._rest)
            await self._stream.send_all(piece)
            del self._rest[: len(piece)]
            return
        await trio.lowlevel.wait_writable(self._fd)
        taken = self._some(self._rest)
        del self._rest[:taken]

    def _some(self, data: bytes | bytearray) -> int:
        if self._fd < 0:
            return 0
        try:
            return os.write(self._fd, data)
        except BlockingIOError:
            return 0

    async def close(self) -> None:
        """Hang up."""
        await trio.aclose_forcefully(self._stream)
