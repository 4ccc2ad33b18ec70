"""The same stories where three messages are too many for one go: what is done in slices comes to the same.

But for how many messages a client is told to wait while some of them are about to be dropped: in none of these stories
does one ask then.
"""

from random import Random

import pytest

from amq.connection import channel, errands
from amq.queues import classic, emptying
from tests.model.commands import generate
from tests.model.real import Real
from tests.model.shrink import failure, report

STEPS = 250
SEEDS = 60
BATCH = 20


def through(real: Real) -> None:
    """Let the shell's rounds go by until nothing long is under way."""
    for _ in range(10_000):
        if not real.broker.chores.waiting:
            return
        # As time does not pass.
        real.broker.chores.due(real.now)
        real.broker.advance(real.now)
    raise AssertionError("it does not come to an end")


@pytest.fixture(autouse=True)
def in_slices(small: None, monkeypatch: pytest.MonkeyPatch) -> None:
    for module, name in (
        (emptying, "SLICE"),
        (classic, "DROPS"),
        (errands, "SLICE"),
        (channel, "MANY"),
    ):
        monkeypatch.setattr(module, name, 2)
    begin, send, leave, lose, advance = Real.begin, Real.send, Real.leave, Real.lose, Real.advance

    def begun(real: Real, wall: float) -> list[bytes]:
        found = begin(real, wall)
        through(real)
        return found

    def sent(real: Real, client: int, data: bytes, cut: Random | None) -> None:
        send(real, client, data, cut)
        through(real)

    def left(real: Real, client: int, how: str) -> None:
        leave(real, client, how)
        through(real)

    def lost(real: Real, client: int) -> None:
        lose(real, client)
        through(real)

    def advanced(real: Real, now: float) -> None:
        advance(real, now)
        if real.broker.chores.waiting:
            through(real)

    monkeypatch.setattr(Real, "begin", begun)
    monkeypatch.setattr(Real, "send", sent)
    monkeypatch.setattr(Real, "leave", left)
    monkeypatch.setattr(Real, "lose", lost)
    monkeypatch.setattr(Real, "advance", advanced)


@pytest.mark.parametrize("first", range(0, SEEDS, BATCH))
def test_what_is_done_in_slices_comes_to_the_same(first: int) -> None:
    for seed in range(first, first + BATCH):
        commands = generate(seed, STEPS)
        if failure(seed, commands):
            pytest.fail(report(seed, commands), pytrace=False)
