"""What clients say of themselves, kept once for all who say it in the same words: half of what an idle one takes."""

from typing import Final

from amq.wire.tables import Field, Table, encode_field

# Fields that are remembered; then it begins anew. Names of connections differ and fill it.
MOST: Final = 1024
# Octets of the largest one.
LONGEST: Final = 1024


class Vocabulary:
    """Fields that were said before. What is handed out is everybody's and must not be changed."""

    __slots__ = ("known",)

    def __init__(self) -> None:
        self.known: dict[tuple[str, bytes], tuple[str, Field]] = {}

    def shared(self, table: Table) -> Table:
        """An equal table, made of what is known already as far as possible."""
        return dict([self._entry(name, field) for name, field in table.items()])

    def _entry(self, name: str, field: Field) -> tuple[str, Field]:
        octets = encode_field(field)
        if len(octets) > LONGEST:
            return name, field
        found = self.known.get((name, octets))
        if found is None:
            if len(self.known) >= MOST:
                self.known.clear()
            found = self.known[name, octets] = name, field
        return found
