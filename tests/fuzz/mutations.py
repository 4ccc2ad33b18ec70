"""What a fuzzer does to a valid dialogue: one change, or a few, decided by a seeded generator."""

from collections.abc import Callable
from random import Random
from typing import Final

from tests.fuzz.dialogues import Frames
from tests.fuzz.wire import frame

# Sizes and counts at the edges of what fields hold.
EDGES: Final = (0, 1, 127, 128, 255, 256, 32_767, 32_768, 65_535, 131_064, 131_073, 2**31 - 1, 2**31, 2**32 - 1)
WIDE_EDGES: Final = (*EDGES, 2**32, 2**63 - 1, 2**63, 2**64 - 1)
# Octets of the numbers in tables, by the type that stands before them.
NUMBERS: Final = dict(zip(b"bBsuIilLTd", (1, 1, 2, 2, 4, 4, 8, 8, 8, 8), strict=True))
FIELD_TYPES: Final = b"tbBsuIilLfdDSxTVFA\x00z"


def _at(random: Random, frames: Frames) -> int:
    return random.randrange(len(frames))


def flip(random: Random, frames: Frames) -> None:
    """One bit."""
    at = _at(random, frames)
    octets = bytearray(frames[at])
    octets[random.randrange(len(octets))] ^= 1 << random.randrange(8)
    frames[at] = bytes(octets)


def overwrite(random: Random, frames: Frames) -> None:
    """A few octets, with anything or with what is special."""
    at = _at(random, frames)
    octets = bytearray(frames[at])
    where = random.randrange(len(octets))
    for place in range(where, min(len(octets), where + random.randint(1, 4))):
        octets[place] = random.choice((0, 1, 0x7F, 0x80, 0xCE, 0xFF, random.randrange(256)))
    frames[at] = bytes(octets)


def insert(random: Random, frames: Frames) -> None:
    """Octets that were not there, and the sizes do not know of."""
    at = _at(random, frames)
    where = random.randrange(len(frames[at]) + 1)
    frames[at] = frames[at][:where] + random.randbytes(random.randint(1, 8)) + frames[at][where:]


def delete(random: Random, frames: Frames) -> None:
    """Octets that are missing."""
    at = _at(random, frames)
    where = random.randrange(len(frames[at]))
    frames[at] = frames[at][:where] + frames[at][where + random.randint(1, 8) :]


def truncate(random: Random, frames: Frames) -> None:
    """Nothing comes any more from the middle of a frame on."""
    at = _at(random, frames)
    frames[at:] = [frames[at][: random.randrange(len(frames[at]))]]


def drop(random: Random, frames: Frames) -> None:
    """A frame is missing."""
    del frames[_at(random, frames)]


def duplicate(random: Random, frames: Frames) -> None:
    """A frame comes several times."""
    at = _at(random, frames)
    frames[at:at] = [frames[at]] * random.choice((1, 1, 2, 30))


def swap(random: Random, frames: Frames) -> None:
    """Two frames change places."""
    one, other = _at(random, frames), _at(random, frames)
    frames[one], frames[other] = frames[other], frames[one]


def resize(random: Random, frames: Frames) -> None:
    """A frame's size is forged, its octets are not."""
    at = _at(random, frames)
    size = random.choice((*EDGES, max(0, len(frames[at]) - 9), len(frames[at])))
    frames[at] = frames[at][:3] + size.to_bytes(4, "big") + frames[at][7:]


def redirect(random: Random, frames: Frames) -> None:
    """Another channel."""
    at = _at(random, frames)
    number = random.choice((0, 1, 2, 3, 2047, 2048, 65_535))
    frames[at] = frames[at][:1] + number.to_bytes(2, "big") + frames[at][3:]


def retype(random: Random, frames: Frames) -> None:
    """Another type of frame."""
    at = _at(random, frames)
    frames[at] = bytes((random.choice((0, 1, 2, 3, 4, 8, 206, 255)),)) + frames[at][1:]


def rename(random: Random, frames: Frames) -> None:
    """Another method with the same arguments."""
    at = _at(random, frames)
    class_id = random.choice((10, 20, 30, 40, 50, 60, 85, 90, 0, 65_535))
    method_id = random.choice((10, 11, 20, 21, 30, 31, 40, 41, 50, 51, 60, 70, 71, 72, 80, 90, 100, 110, 111, 120))
    frames[at] = frames[at][:7] + class_id.to_bytes(2, "big") + method_id.to_bytes(2, "big") + frames[at][11:]


def lengthen(random: Random, frames: Frames) -> None:
    """A length or a number within a payload is forged; the frame itself stays sound."""
    at = _at(random, frames)
    payload = bytearray(frames[at][7:-1])
    if not payload:
        return
    width = random.choice((1, 2, 4, 8))
    where = random.randrange(len(payload))
    payload[where : where + width] = (random.choice(WIDE_EDGES) & (1 << 8 * width) - 1).to_bytes(width, "big")
    frames[at] = _resealed(frames[at], bytes(payload))


def revalue(random: Random, frames: Frames) -> None:
    """The value behind what looks like the type of a number goes to an edge; the frame itself stays sound."""
    at = _at(random, frames)
    payload = frames[at][7:-1]
    places = [place for place, octet in enumerate(payload) if octet in NUMBERS]
    if places:
        place = random.choice(places) + 1
        width = NUMBERS[payload[place - 1]]
        value = (random.choice(WIDE_EDGES) & (1 << 8 * width) - 1).to_bytes(width, "big")
        frames[at] = _resealed(frames[at], payload[:place] + value + payload[place + width :])


def splice(random: Random, frames: Frames) -> None:
    """Octets are put in or taken out within a payload; the frame itself stays sound."""
    at = _at(random, frames)
    payload = frames[at][7:-1]
    where = random.randrange(len(payload) + 1)
    filling = random.choice((b"", random.randbytes(3), bytes((random.choice(FIELD_TYPES),)), b"\xff" * 200))
    frames[at] = _resealed(frames[at], payload[:where] + filling + payload[where + random.randint(0, 6) :])


def refield(random: Random, frames: Frames) -> None:
    """An octet that may be the type of a field becomes another type."""
    at = _at(random, frames)
    places = [place for place in range(7, len(frames[at]) - 1) if frames[at][place] in FIELD_TYPES]
    if places:
        place = random.choice(places)
        frames[at] = frames[at][:place] + bytes((random.choice(FIELD_TYPES),)) + frames[at][place + 1 :]


def nest(random: Random, frames: Frames) -> None:
    """Tables or arrays in each other, more deeply than anybody needs, in place of the end of a payload."""
    depth = random.choice((2, 60, 64, 65, 66, 500))
    kind, name = random.choice(((b"F", b"\x01k"), (b"A", b"")))
    value = b"V" if kind == b"A" else b"\x01kV"
    for _ in range(depth):
        value = name + kind + len(value).to_bytes(4, "big") + value
    at = _at(random, frames)
    payload = frames[at][7:-1]
    where = random.randrange(len(payload) + 1)
    table = len(value).to_bytes(4, "big") + value
    frames[at] = _resealed(frames[at], payload[:where] + table)


def _resealed(octets: bytes, payload: bytes) -> bytes:
    """The frame with another payload."""
    if len(octets) < 8:
        return octets
    return frame(octets[0], int.from_bytes(octets[1:3], "big"), payload)


MUTATIONS: Final[tuple[Callable[[Random, Frames], None], ...]] = (
    flip,
    overwrite,
    insert,
    delete,
    truncate,
    drop,
    duplicate,
    swap,
    resize,
    redirect,
    retype,
    rename,
    lengthen,
    revalue,
    splice,
    refield,
    nest,
)


def mutate(random: Random, frames: Frames, opening: int) -> Frames:
    """A changed copy: mostly one mutation, mostly behind the first `opening` pieces, the way in."""
    opened, said = frames[:opening], frames[opening:]
    for _ in range(random.choice((1, 1, 1, 2, 3, 8))):
        part = opened if random.random() < 0.1 else said
        if part:
            random.choice(MUTATIONS)(random, part)
            part[:] = [piece for piece in part if piece]
    return opened + said


def chunks(random: Random, octets: bytes) -> list[bytes]:
    """The octets as a socket might hand them out: whole, in a few pieces, or cut small."""
    step = random.choice((len(octets) + 1, len(octets) + 1, 1_000, 100, 9, 1))
    return [octets[at : at + step] for at in range(0, len(octets), step)]
