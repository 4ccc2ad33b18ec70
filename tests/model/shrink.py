"""From a list of commands that fails to a short one that fails."""

from tests.model.commands import Command
from tests.model.player import Player


def failure(seed: int, commands: list[Command]) -> str | None:
    """What goes wrong when these are played; None: nothing."""
    player = Player(seed)
    for number, command in enumerate(commands):
        try:
            player.play(command)
        except Exception as error:
            return f"step {number}: {type(error).__name__}: {error}"
    return None


def shrink(seed: int, commands: list[Command]) -> list[Command]:
    """Leave out runs of commands, long ones first, for as long as the rest fails."""
    size = len(commands) // 2
    while size:
        at = 0
        while at < len(commands):
            fewer = commands[:at] + commands[at + size :]
            if failure(seed, fewer):
                commands = fewer
            else:
                at += size
        size //= 2
    return commands


def report(seed: int, commands: list[Command]) -> str:
    """A failure as a person can read it."""
    short = shrink(seed, commands)
    steps = "\n".join(f"  {command!r}," for command in short)
    return f"seed {seed} fails; so do these {len(short)} commands:\n{steps}\n{failure(seed, short)}"
