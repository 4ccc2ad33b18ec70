"""A content on its way in: the method, the header and the body frames of one message, in their order."""

from typing import cast

from amq.connection import framing
from amq.connection.session import Session
from amq.errors import FRAME_ERROR, PRECONDITION_FAILED, UNEXPECTED_FRAME, ChannelFault, ConnectionFault
from amq.journal.checksum import LONG, LongBody
from amq.wire import methods, spec
from amq.wire import properties as props
from amq.wire.methods import MethodError
from amq.wire.properties import PropertiesError


class Assembly:
    """Gathers one content of a channel. `arguments` is that of a basic.publish whose content is still coming."""

    __slots__ = ("session", "number", "arguments", "header", "need", "got", "parts", "long")

    def __init__(self, session: Session, number: int) -> None:
        self.session = session
        self.number = number
        self.arguments: bytes | None = None
        self.header: bytes | None = None
        self.need: int = 0
        self.got: int = 0
        self.parts: list[bytes] = []
        # What a long body is gathered in instead.
        self.long: LongBody | None = None

    def known(self, arguments: bytes) -> bool:
        """Whether these arguments of basic.publish were decoded before."""
        raise NotImplementedError

    def complete(self) -> None:
        """The content is whole."""
        raise NotImplementedError

    def on_method(self, payload: bytes) -> None:
        """basic.publish came; its content follows. Raises ConnectionFault(501) when it cannot be decoded."""
        arguments = payload[4:]
        if not self.known(arguments):
            try:
                methods.decode(spec.BASIC_PUBLISH, payload)
            except MethodError:
                raise framing.undecodable(payload) from None
        self.arguments = arguments
        self.header = None

    def on_header(self, payload: bytes) -> None:
        """A content header frame came."""
        if self.arguments is None:
            raise framing.no_method()
        if self.header is not None:
            raise framing.no_body()
        if payload[2:4] != b"\x00\x00":
            raise framing.no_header()
        kind = int.from_bytes(payload[:2], "big")
        if kind != spec.CLASS_BASIC:
            raise ConnectionFault(
                UNEXPECTED_FRAME, f"expected content header for class 60, got one for class {kind} instead"
            )
        self.need = int.from_bytes(payload[4:12], "big")
        self.check_size()
        # Content that never ends takes memory too.
        self.session.has_published = True
        self.header = payload
        self.got = 0
        self.long = LongBody(_persistent(payload)) if self.need >= LONG else None
        if not self.need:
            self.complete()

    def check_size(self) -> None:
        """Refuse a body that is too large before any of it is kept; raises ChannelFault(406)."""
        most = self.session.broker.settings.max_message_size
        if self.need > most:
            self.arguments = None
            raise ChannelFault(
                PRECONDITION_FAILED, f"message size {self.need} is larger than configured max size {most}"
            )

    def on_body(self, payload: bytes) -> None:
        """A body frame came."""
        if self.arguments is None:
            raise framing.no_method()
        if self.header is None:
            raise framing.no_header()
        if not payload:
            # Allowed, and no progress: nothing of it may be kept.
            return
        if self.long is not None:
            self.long.add(payload)
            self.session.has_recorded = True
        else:
            self.parts.append(payload)
        self.session.has_published = True
        self.got += len(payload)
        if self.got > self.need:
            raise ConnectionFault(FRAME_ERROR, f"content body of {self.got} octets is longer than its header says")
        if self.got == self.need:
            self.complete()

    def unfinished(self) -> None:
        """A method came where content should; raises ConnectionFault(505) if content is still due."""
        if self.arguments is None:
            return
        if self.header is None:
            raise framing.no_header()
        raise framing.no_body()

    def taken(self) -> tuple[bytes, bytes, bytes]:
        """Arguments, header and body of the whole content, which is forgotten here."""
        arguments, header, parts, long = self.arguments, self.header, self.parts, self.long
        assert arguments is not None and header is not None
        self.arguments = self.header = self.long = None
        if long is not None:
            # Whoever reads a body gets along with it.
            return arguments, header, cast("bytes", long)
        self.parts = []
        return arguments, header, parts[0] if len(parts) == 1 else b"".join(parts)


def _persistent(header: bytes) -> bool:
    """Whether a message with this header may go to the journal."""
    try:
        return props.read(header).persistent
    except PropertiesError:
        # It is refused when its body is there.
        return False
