"""SQL's LIKE: `%` stands for any characters, `_` for one.

A pattern is cut at its `%`. The piece in front of the first and the one after the last have their places; each of
those between is looked for once, from where the one before it ended, and the first place found is as good as any later
one: nothing is ever tried again. So a match looks at each character of the text at most once per character of the
longest piece, whatever the pattern.
"""

from typing import Final

# Longer pieces with `_` in them than this could make a search slow: one comparison for each of their characters at
# each place of the text.
MAX_PIECE: Final = 64


class LikeError(ValueError):
    """Not a pattern; the text says why."""


class Piece:
    """What stands between two `%`: strings and where they begin in it. `size` in characters."""

    __slots__ = ("size", "runs")

    def __init__(self, size: int, runs: list[tuple[int, str]]) -> None:
        self.size = size
        # Without the `_` between them.
        self.runs = runs

    def stands_at(self, text: str, at: int) -> bool:
        """Whether the text has it there."""
        if at < 0 or at + self.size > len(text):
            return False
        return all(text.startswith(run, at + start) for start, run in self.runs)

    def find(self, text: str, at: int, end: int) -> int:
        """Where it begins first, not before `at` and within the text up to `end`; -1: nowhere."""
        last = end - self.size
        if at > last or not self.runs:
            return at if at <= last else -1
        start, run = self.runs[0]
        while at <= last:
            found = text.find(run, at + start, last + start + len(run))
            if found < 0:
                return -1
            at = found - start
            if len(self.runs) == 1 or self.stands_at(text, at):
                return at
            at += 1
        return -1


class Like:
    """A pattern, ready to be matched. `escape` is one character that takes the meaning from what follows, or empty.

    Raises LikeError.
    """

    __slots__ = ("first", "middle", "last")

    def __init__(self, pattern: str, escape: str) -> None:
        if len(escape) > 1:
            raise LikeError(f"ESCAPE takes one character, not {len(escape)}")
        pieces = cut(pattern, escape)
        self.first: Piece = pieces[0]
        self.middle: list[Piece] = [piece for piece in pieces[1:-1] if piece.size]
        # None: there is no `%`, and the first piece is all.
        self.last: Piece | None = pieces[-1] if len(pieces) > 1 else None

    def matches(self, text: str) -> bool:
        """Whether the whole text is of that form."""
        first = self.first
        last = self.last
        if last is None:
            return len(text) == first.size and first.stands_at(text, 0)
        end = len(text) - last.size
        at = first.size
        if at > end or not (first.stands_at(text, 0) and last.stands_at(text, end)):
            return False
        for piece in self.middle:
            found = piece.find(text, at, end)
            if found < 0:
                return False
            at = found + piece.size
        return True


def cut(pattern: str, escape: str) -> list[Piece]:
    """The pieces of a pattern, at least one.

    Raises LikeError.
    """
    pieces: list[Piece] = []
    size = 0
    runs: list[tuple[int, str]] = []
    # Whether the last run goes on.
    open_run = False
    at = 0
    while at < len(pattern):
        character = pattern[at]
        at += 1
        if character == escape:
            if at == len(pattern) or pattern[at] not in ("%", "_", escape):
                raise LikeError(f"the escape character {escape!r} must stand before '%', '_' or itself")
            character = pattern[at]
            at += 1
        elif character == "%":
            pieces.append(piece_of(size, runs))
            size, runs, open_run = 0, [], False
            continue
        elif character == "_":
            size += 1
            open_run = False
            continue
        if open_run:
            start, run = runs[-1]
            runs[-1] = (start, run + character)
        else:
            runs.append((size, character))
            open_run = True
        size += 1
    pieces.append(piece_of(size, runs))
    return pieces


def piece_of(size: int, runs: list[tuple[int, str]]) -> Piece:
    """A piece, if it is not too long.

    Raises LikeError.
    """
    if len(runs) > 1 and size > MAX_PIECE:
        raise LikeError(
            f"between two '%', a pattern with '_' in it may have {MAX_PIECE} characters at most, not {size}"
        )
    return Piece(size, runs)
