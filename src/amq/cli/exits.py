"""How a command ends: exit statuses after sysexits.h, as rabbitmqctl has them, and the error that carries one.

`amq serve`, `amq journal` and what is no command at all have statuses of their own, which are older: 1 and 2.
"""

from typing import Final

OK: Final = 0
# `amq` with a command that there is not, `amq serve` and `amq journal` with arguments that make no sense.
MISTAKE: Final = 2
USAGE: Final = 64  # arguments that make no sense
DATA: Final = 65  # what was given, or what was asked for, is not there or not right
NO_USER: Final = 67
UNAVAILABLE: Final = 69  # no broker answers, or it refused for its own reasons
SOFTWARE: Final = 70  # the broker failed over it
CANNOT_WRITE: Final = 73  # a file or the output
NOT_ALLOWED: Final = 77  # who asked may not
MISSING_EXTRA: Final = 78  # this installation lacks what the command needs (a matter of configuration)
# Interrupted by Ctrl-C (128 + SIGINT), and written into a pipe that nobody reads any more (128 + SIGPIPE).
INTERRUPTED: Final = 130
BROKEN_PIPE: Final = 141


class CommandError(Exception):
    """A command that cannot do what it was asked: one line for the operator, and an exit status."""

    def __init__(self, status: int, problem: str) -> None:
        super().__init__(problem)
        self.status = status
