"""What a checker says of a history: the violations of promises, and how often everything happened."""

from __future__ import annotations

from collections import Counter
from typing import Final

import attrs

# How many violations of a kind are shown; all are counted.
SHOWN: Final = 5


@attrs.frozen
class Violation:
    """A promise that was not kept: which kind of it, and the case."""

    kind: str
    text: str


@attrs.frozen
class Rules:
    """What the broker under test promises beyond what every check demands.

    `margin`: an acknowledgement that was sent so many seconds (and as many as the slowest confirm of the run took)
    before its connection or broker went is done for good. amq promises 100 ms after it handled it; the rest is for a
    busy machine, on which that may be late.
    `forgiven`: kinds of violations that are counted and not held against it.
    """

    margin: float = 1.0
    forgiven: frozenset[str] = frozenset()


@attrs.frozen
class Verdict:
    """The result of a check."""

    violations: tuple[Violation, ...]
    forgiven: tuple[Violation, ...]
    counts: Counter[str]

    @property
    def good(self) -> bool:
        """Whether every promise was kept."""
        return not self.violations

    def kinds(self) -> set[str]:
        """The kinds of violations."""
        return {violation.kind for violation in self.violations}

    def __str__(self) -> str:
        lines = ["  ".join(f"{name} {count}" for name, count in sorted(self.counts.items()))]
        for title, found in (("VIOLATED", self.violations), ("forgiven", self.forgiven)):
            shown: Counter[str] = Counter()
            totals = Counter(violation.kind for violation in found)
            for violation in found:
                shown[violation.kind] += 1
                if shown[violation.kind] <= SHOWN:
                    lines.append(f"{title} {violation.kind}: {violation.text}")
            lines += [f"{title} {kind}: {total} in all" for kind, total in totals.items()]
        return "\n".join(lines)
