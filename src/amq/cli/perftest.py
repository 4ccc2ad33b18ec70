"""What PerfTest's users type: its spellings of options that are written in another way here."""

from collections.abc import Sequence
from typing import Final

import click

SPELLED: Final = {
    "-vr": "--variable-rate",
    "-vs": "--variable-size",
    "-vl": "--variable-latency",
    "-qa": "--queue-args",
    "-ca": "--consumer-args",
    "-mp": "--message-properties",
    "-qp": "--queue-pattern",
    "-qpf": "--queue-pattern-from",
    "-qpt": "--queue-pattern-to",
    "-qq": "--quorum-queue",
    "-sq": "--stream-queue",
    "-ct": "--confirm-timeout",
    "-prsd": "--producer-random-start-delay",
    "-na": "--nack",
}
# A value follows them there: true or false.
SWITCHES: Final = {
    "-ad": "auto-delete",
    "--auto-delete": "auto-delete",
    "-re": "requeue",
    "--requeue": "requeue",
}
# There is nothing like them here, and they would be read as something else: -udsc as -u dsc.
ABSENT: Final = frozenset(("-dcr", "-udsc", "-um", "-env", "-ea"))


class PerfTestCommand(click.Command):
    """A command whose options may be spelled as PerfTest spells them."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Raises click.UsageError."""
        return super().parse_args(ctx, spelled(args, ctx))


def spelled(words: Sequence[str], context: click.Context | None = None) -> list[str]:
    """The same arguments in our spelling. Raises click.UsageError."""
    found: list[str] = []
    rest = list(reversed(words))
    while rest:
        word = rest.pop()
        if word in ABSENT:
            raise click.UsageError(f"PerfTest's option {word} is none of amq perf", context)
        name = SWITCHES.get(word)
        if name is None:
            found.append(SPELLED.get(word, word))
        elif rest and rest[-1] in {"true", "false"}:
            found.append(f"--{name}" if rest.pop() == "true" else f"--no-{name}")
        elif word == f"--{name}":
            found.append(word)
        else:
            raise click.UsageError(f"{word}: true or false is needed", context)
    return found
