"""What a broker sends, cut into runs of deliveries and other methods. Does no I/O; never keeps more than one frame.

Most deliveries of a consumer look alike: the same three frames, where only the delivery tag, the redelivered flag and
the first octets of the body differ. When two in a row have been read frame by frame, those after it are compared with
it by the hundred: what may differ is blanked in a copy, and the copy must then equal the first one, repeated. Where it
does not, frames are read one by one again.
"""

from collections import Counter
from struct import Struct, unpack
from typing import Final

from amq.perf.load import FRAME_MAX, SMALLEST
from amq.perf.publishing import SEQUENCE, STAMP, ramp
from amq.wire import spec
from amq.wire.tail import Tail

_HEAD: Final = 7
_FRAME: Final = Struct(">BHI")
# A header frame as far as the size of the body.
_HEADER: Final = Struct(">BHIHHQ")
_STAMP: Final = Struct(">Q")
_DELIVER: Final = spec.BASIC_DELIVER.to_bytes(4, "big")
_KINDS: Final = (spec.FRAME_METHOD, spec.FRAME_HEADER, spec.FRAME_BODY, spec.FRAME_HEARTBEAT)
_RETURN: Final = spec.BASIC_RETURN.to_bytes(4, "big")
# So many deliveries are compared at first; twice as many after each success.
_FEW: Final = 8
_MOST_SHAPES: Final = 256
# What stands in the place of a stamp where a body is too short for one.
NO_STAMP: Final = 0


class WireError(Exception):
    """The broker sent what is no frame."""


class Run:
    """Deliveries of one channel in a row, with tags in a row. `stamps` counts them by stamp, oldest first."""

    __slots__ = ("channel", "first", "count", "stamps")

    def __init__(self, channel: int, first: int, count: int, stamps: dict[int, int]) -> None:
        self.channel = channel
        self.first = first
        self.count = count
        self.stamps = stamps


class Shape:
    """What the deliveries of a channel look like: one of them, with blanks where they may differ."""

    __slots__ = ("width", "blank", "tag", "body", "places", "reach", "_resume")

    def __init__(self, sample: bytes, body: int, ignore_key: bool) -> None:
        self.width: Final = len(sample)
        self.tag: Final = _HEAD + 5 + sample[_HEAD + 4]
        self.body: Final = body
        # The tag and the redelivered flag; the sequence and the stamp.
        places = [*range(self.tag, self.tag + 9), *range(body, body + SMALLEST)]
        # From here on to the body everything is the same in all of them.
        self._resume = self.tag + 9
        if ignore_key:
            self._resume = _HEAD + int.from_bytes(sample[3:_HEAD], "big")
            places += range(self.tag + 9 + sample[self.tag + 9] + 2, self._resume)
        self.places: Final = places
        blank = bytearray(sample)
        for place in places:
            blank[place] = 0
        self.blank: Final = bytes(blank)
        self.reach = _FEW

    def run(self, data: bytes, pos: int, tag: int) -> tuple[int, dict[int, int]] | None:
        """How many deliveries from `pos` on have this shape and tags in a row from `tag` on, and their stamps.

        None when the next ones do not; how many are looked at depends on how often they did before.
        """
        width = self.width
        count = min((len(data) - pos) // width, self.reach)
        # Mostly where others begin: what costs little is looked at first.
        blank = self.blank
        if (
            not count
            or data[pos : pos + self.tag] != blank[: self.tag]
            or data[pos + self._resume : pos + self.body] != blank[self._resume : self.body]
        ):
            return None
        copy = bytearray(data[pos : pos + count * width])
        last = (count - 1) * width + self.tag
        if copy[self.tag + 7 :: width] != ramp(tag, count) or int.from_bytes(copy[last : last + 8], "big") != (
            tag + count - 1
        ):
            self.reach = _FEW
            return None
        stamps = bytearray(STAMP * count)
        for place in range(STAMP):
            stamps[place::STAMP] = copy[self.body + SEQUENCE + place :: width]
        zeros = bytes(count)
        for place in self.places:
            copy[place::width] = zeros
        if copy != blank * count:
            self.reach = _FEW
            return None
        self.reach = min(self.reach * 2, 1 << 14)
        return count, _counted(bytes(stamps), count)


def _counted(stamps: bytes, count: int) -> dict[int, int]:
    first = stamps[:STAMP]
    if stamps == first * count:
        return {int.from_bytes(first, "big"): count}
    return Counter(unpack(f">{count}Q", stamps))


class _Content:
    """A delivery or a returned message that is not whole yet."""

    __slots__ = ("returned", "tag", "left", "start", "size")

    def __init__(self, returned: bool, tag: int) -> None:
        self.returned: Final = returned
        self.tag: Final = tag
        # Octets that are still to come; negative: the header is.
        self.left = -1
        self.start = b""
        self.size = 0


class Incoming:
    """Cuts chunks. `methods` has what is no delivery: (channel, payload); `returned` counts basic.return."""

    __slots__ = ("methods", "returned", "_tail", "_open", "_shapes", "_before", "_ignore_key", "_frame_max", "_runs")

    def __init__(self, ignore_key: bool = False, frame_max: int = FRAME_MAX) -> None:
        self.methods: list[tuple[int, bytes]] = []
        self.returned: int = 0
        self._tail: Final = Tail()
        self._open: Final[dict[int, _Content]] = {}
        # By what comes before a body, but for what may differ; and that of the delivery before.
        self._shapes: Final[dict[bytes, Shape]] = {}
        self._before = b""
        self._ignore_key: Final = ignore_key
        self._frame_max: Final = frame_max
        self._runs: list[Run] = []

    def feed(self, chunk: bytes) -> list[Run]:
        """The deliveries that this chunk completes. Raises WireError."""
        data = self._tail.join(chunk)
        self._runs = []
        pos = 0
        end = len(data)
        while end - pos >= spec.ENVELOPE:
            stop = pos + _HEAD + int.from_bytes(data[pos + 3 : pos + _HEAD], "big")
            if stop >= end:
                self._expect(data, pos, stop)
                break
            if data[stop] != spec.FRAME_END:
                raise WireError(f"no end mark after a frame of {stop - pos - _HEAD} octets")
            kind = data[pos]
            if kind == spec.FRAME_METHOD:
                pos = self._method(data, pos, stop, end)
            elif kind == spec.FRAME_HEARTBEAT:
                pos = stop + 1
            else:
                self._content(data, pos, stop, kind == spec.FRAME_HEADER)
                pos = stop + 1
        self._tail.keep(data[pos:])
        return self._runs

    def _expect(self, data: bytes, pos: int, stop: int) -> None:
        """The rest of a frame is worth waiting for."""
        if data[pos] not in _KINDS or stop - pos >= self._frame_max:
            raise WireError(f"{data[pos : pos + _HEAD]!r} begins no frame")

    def _method(self, data: bytes, pos: int, stop: int, end: int) -> int:
        """A method frame, and the content after it if all of it is here; returns where to go on."""
        channel = data[pos + 1] << 8 | data[pos + 2]
        start = pos + _HEAD
        if data[start : start + 4] == _DELIVER:
            at = start + 5 + data[start + 4]
            tag = int.from_bytes(data[at : at + 8], "big")
            after = self._whole(data, pos, stop + 1, end, channel, tag)
            if after:
                return after
            self._open[channel] = _Content(False, tag)
            return stop + 1
        if data[start : start + 4] == _RETURN:
            self._open[channel] = _Content(True, 0)
        self.methods.append((channel, data[start:stop]))
        return stop + 1

    def _whole(self, data: bytes, began: int, header: int, end: int, channel: int, tag: int) -> int:
        """A delivery whose header and only body frame follow at once; returns where to go on, 0 if it is another."""
        if header + _HEADER.size > end:
            return 0
        kind, its_channel, size, _, _, wanted = _HEADER.unpack_from(data, header)
        body = header + spec.ENVELOPE + size + _HEAD
        after = body + wanted + 1
        if kind != spec.FRAME_HEADER or its_channel != channel or after > end or wanted < SMALLEST:
            return 0
        if _FRAME.unpack_from(data, body - _HEAD) != (spec.FRAME_BODY, channel, wanted):
            return 0
        if data[body - spec.ENVELOPE] != spec.FRAME_END or data[after - 1] != spec.FRAME_END:
            return 0
        stamp: int = _STAMP.unpack_from(data, body + SEQUENCE)[0]
        self._add(channel, tag, 1, {stamp: 1})
        shape = self._shape(data, began, body, after)
        return after if shape is None else self._follow(channel, shape, data, after, tag + 1)

    def _content(self, data: bytes, pos: int, stop: int, is_header: bool) -> None:
        """A header or body frame of a content that comes in pieces."""
        channel = data[pos + 1] << 8 | data[pos + 2]
        content = self._open.get(channel)
        if content is None:
            raise WireError("content that no method announced")
        start = pos + _HEAD
        if is_header:
            content.size = content.left = int.from_bytes(data[start + 4 : start + 12], "big")
        else:
            content.left -= stop - start
            if len(content.start) < SMALLEST:
                content.start += data[start : start + SMALLEST]
        if content.left < 0:
            raise WireError("a body that is longer than its header says")
        if not content.left:
            del self._open[channel]
            self._complete(channel, content)

    def _complete(self, channel: int, content: _Content) -> None:
        if content.returned:
            self.returned += 1
        elif content.size < SMALLEST:
            self._add(channel, content.tag, 1, {NO_STAMP: 1})
        else:
            self._add(channel, content.tag, 1, {int.from_bytes(content.start[SEQUENCE:SMALLEST], "big"): 1})

    def _shape(self, data: bytes, began: int, body: int, after: int) -> Shape | None:
        """The shape of this delivery; None as long as no two in a row have it."""
        tag = began + _HEAD + 5 + data[began + _HEAD + 4]
        resume = tag + 9
        if self._ignore_key:
            resume = began + _HEAD + int.from_bytes(data[began + 3 : began + _HEAD], "big")
        head = data[began:tag] + data[resume:body]
        shape = self._shapes.get(head)
        if shape is None and head == self._before:
            if len(self._shapes) >= _MOST_SHAPES:
                self._shapes.clear()
            shape = self._shapes[head] = Shape(data[began:after], body - began, self._ignore_key)
        self._before = head
        return shape

    def _follow(self, channel: int, shape: Shape, data: bytes, pos: int, tag: int) -> int:
        """Take the deliveries that look like the one before them; returns where others begin."""
        while (found := shape.run(data, pos, tag)) is not None:
            count, stamps = found
            self._add(channel, tag, count, stamps)
            tag += count
            pos += count * shape.width
        return pos

    def _add(self, channel: int, tag: int, count: int, stamps: dict[int, int]) -> None:
        runs = self._runs
        if runs:
            last = runs[-1]
            if last.channel == channel and last.first + last.count == tag:
                last.count += count
                for stamp, many in stamps.items():
                    last.stamps[stamp] = last.stamps.get(stamp, 0) + many
                return
        runs.append(Run(channel, tag, count, stamps))
