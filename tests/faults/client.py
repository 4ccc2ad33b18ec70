"""A blocking AMQP client for a broker that may die at any moment: every wait has a limit, every death is `Gone`.

It knows frames and methods (those of the conformance dialogues) and how a conversation ends. What is said on it, and
what that is evidence of, is the matter of `session`.
"""

from __future__ import annotations

import select
import socket
import struct
import time
from collections import deque
from typing import Any, Final

import attrs

from tests.conformance import methods
from tests.conformance.client import BODY, CAPABILITIES, CONTENT_HEADER, FRAME_END, HEADER, METHOD

Address = tuple[str, int]

# How long (s) an answer may take; longer than a broker on a busy machine needs, also for a slow disk.
PATIENCE: Final = 20.0
FRAME_MAX: Final = 131072
WITH_CONTENT: Final = {"basic.deliver", "basic.get-ok", "basic.return"}


class Gone(Exception):
    """The connection is over. `said` is the broker's reason where it gave one (`541 INTERNAL_ERROR - ...`)."""

    def __init__(self, what: str, said: str = "") -> None:
        super().__init__(what)
        self.said = said


class Silent(Gone):
    """The broker did not answer in time."""


@attrs.define
class Heard:
    """A method from the broker, with its content where it has one."""

    channel: int
    name: str
    fields: dict[str, Any]
    size: int = -1
    properties: dict[str, Any] = attrs.field(factory=dict)
    body: bytes = b""

    @property
    def complete(self) -> bool:
        """Whether all of the content is there."""
        return self.name not in WITH_CONTENT or len(self.body) == self.size


class Client:
    """One connection, with the handshake done."""

    def __init__(self, address: Address, patience: float = PATIENCE) -> None:
        self.patience = patience
        self.blocked = ""
        self._unread = bytearray()
        self._heard: deque[Heard] = deque()
        self._unfinished: dict[int, Heard] = {}
        try:
            self._socket = socket.create_connection(address, patience)
        except OSError as error:
            raise Gone(f"cannot connect: {error}") from None
        try:
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._enter()
        except (Gone, OSError) as error:
            self.drop()
            raise Gone(f"handshake: {error}", error.said if isinstance(error, Gone) else "") from None

    def _enter(self) -> None:
        self.send_raw(HEADER)
        self.answer(0, "connection.start")
        capabilities = dict.fromkeys(CAPABILITIES, True)
        self.send(
            0,
            "connection.start-ok",
            client_properties={"product": "faults", "capabilities": capabilities},
            mechanism="PLAIN",
            response=b"\0guest\0guest",
            locale="en_US",
        )
        self.answer(0, "connection.tune")
        self.send(0, "connection.tune-ok", channel_max=100, frame_max=FRAME_MAX, heartbeat=0)
        self.call(0, "connection.open", virtual_host="/")

    def send_raw(self, data: bytes) -> None:
        """Send octets; Silent when the broker takes none of them in time."""
        try:
            self._socket.settimeout(self.patience)
            self._socket.sendall(data)
        except TimeoutError:
            raise Silent("the broker does not read") from None
        except OSError as error:
            raise Gone(f"cannot send: {error}", self._last_words()) from None

    def send(self, channel: int, name: str, **fields: Any) -> None:
        """Send a method."""
        self.send_raw(frame(METHOD, channel, methods.encode(name, fields)))

    def publish(
        self, channel: int, exchange: str, routing_key: str, body: bytes, properties: dict[str, Any], mandatory: bool
    ) -> None:
        """Send a basic.publish with its content."""
        method = methods.encode(
            "basic.publish", {"exchange": exchange, "routing_key": routing_key, "mandatory": mandatory}
        )
        pieces = [frame(METHOD, channel, method)]
        pieces.append(frame(CONTENT_HEADER, channel, methods.encode_header(len(body), properties)))
        step = FRAME_MAX - 8
        pieces += [frame(BODY, channel, body[at : at + step]) for at in range(0, len(body), step)]
        self.send_raw(b"".join(pieces))

    def call(self, channel: int, name: str, **fields: Any) -> Heard:
        """Send a method and wait for its `-ok`; what else comes meanwhile waits for `listen`."""
        self.send(channel, name, **fields)
        return self.answer(channel, f"{name}-ok")

    def answer(self, channel: int, *names: str) -> Heard:
        """The next of these methods on the channel; Gone when the broker closes one or the other instead."""
        deadline = time.monotonic() + self.patience
        passed: list[Heard] = []
        while True:
            while not self._heard:
                if time.monotonic() > deadline:
                    raise Silent(f"no {' or '.join(names)}")
                self._read(deadline - time.monotonic())
            heard = self._heard.popleft()
            if heard.channel == channel and heard.name in names:
                self._heard.extendleft(reversed(passed))
                return heard
            passed.append(heard)

    def listen(self, seconds: float) -> list[Heard]:
        """What was heard; waits at most that long for the first."""
        if not self._heard:
            self._read(seconds)
        heard = list(self._heard)
        self._heard.clear()
        return heard

    def close(self) -> None:
        """Close the connection as one should."""
        try:
            self.call(0, "connection.close", reply_code=200, reply_text="bye")
        finally:
            self.drop()

    def drop(self) -> None:
        """Close the socket without a word, as a client that crashes."""
        self._socket.close()

    def _read(self, seconds: float) -> None:
        """Take in what is there; waits at most that long for it."""
        try:
            ready, _, _ = select.select([self._socket], [], [], max(seconds, 0.0))
            data = self._socket.recv(1 << 18) if ready else None
        except OSError as error:
            raise Gone(f"cannot read: {error}") from None
        if data == b"":
            raise Gone("the broker hung up")
        if data:
            self._unread += data
            self._parse()

    def _parse(self) -> None:
        at, unread = 0, self._unread
        try:
            while len(unread) - at >= 8:
                kind, channel, size = struct.unpack_from(">BHI", unread, at)
                start, end = at + 7, at + 7 + size
                if len(unread) <= end:
                    break
                if unread[end : end + 1] != FRAME_END:
                    raise Gone("a frame without its end")
                at = end + 1
                self._take(kind, channel, bytes(unread[start:end]))
        finally:
            del unread[:at]

    def _take(self, kind: int, channel: int, payload: bytes) -> None:
        if kind == METHOD:
            heard = Heard(channel, *methods.decode(payload))
        elif kind == CONTENT_HEADER:
            heard = self._unfinished[channel]
            heard.size, heard.properties = methods.decode_header(payload)
        elif kind == BODY:
            heard = self._unfinished[channel]
            heard.body += payload
        else:
            return
        self._unfinished[channel] = heard
        if heard.complete:
            self._file(self._unfinished.pop(channel))

    def _file(self, heard: Heard) -> None:
        """Sort a complete method: some end the conversation, some are news about the broker, most are for the user."""
        if heard.name in ("connection.close", "channel.close"):
            said = f"{heard.fields['reply_code']} {heard.fields['reply_text']}"
            if heard.name == "connection.close":
                self.send(0, "connection.close-ok")
            raise Gone(f"{heard.name} {said}", said)
        if heard.name == "connection.blocked":
            self.blocked = heard.fields["reason"]
        elif heard.name == "connection.unblocked":
            self.blocked = ""
        else:
            self._heard.append(heard)

    def _last_words(self) -> str:
        """What the broker said before it stopped listening, as far as it got here."""
        try:
            while True:
                self._read(0.2)
        except Gone as gone:
            return gone.said


def frame(kind: int, channel: int, payload: bytes) -> bytes:
    """One frame."""
    return struct.pack(">BHI", kind, channel, len(payload)) + payload + FRAME_END
