"""Long work is done a slice at a time, and everybody's in turn."""

import pytest

from amq.chores import SLICE, Chore, Chores, Heap, Rubble
from amq.clock import Clock, Timers


class Counted(Chore):
    """Takes so many slices, and notes each under its name."""

    def __init__(self, name: str, slices: int, notes: list[str]) -> None:
        self.name = name
        self.left = slices
        self.notes = notes

    def slice(self) -> bool:
        self.notes.append(self.name)
        self.left -= 1
        return not self.left


class Broken(Chore):
    """Fails."""

    def slice(self) -> bool:
        raise ValueError("a defect")


def made() -> tuple[Clock, Timers, Chores]:
    clock, timers = Clock(100.0, 0.0), Timers()
    return clock, timers, Chores(clock, timers)


def rounds(clock: Clock, timers: Timers, count: int) -> None:
    """What the shell does: so many rounds of what is due."""
    for _ in range(count):
        deadline = timers.next_deadline()
        if deadline is not None:
            clock.now = max(clock.now, deadline)
            timers.advance(clock.now)


def test_one_slice_is_done_in_a_round_and_chores_take_turns() -> None:
    clock, timers, chores = made()
    notes: list[str] = []
    chores.add(Counted("a", 3, notes))
    chores.add(Counted("b", 2, notes))
    rounds(clock, timers, 3)
    assert notes == ["a", "b", "a"]
    rounds(clock, timers, 5)
    assert notes == ["a", "b", "a", "b", "a"]
    assert timers.next_deadline() is None


def test_what_is_through_with_its_first_slice_is_never_waited_for() -> None:
    _, timers, chores = made()
    notes: list[str] = []
    chores.begin(Counted("a", 1, notes))
    assert (notes, list(chores.waiting), timers.next_deadline()) == (["a"], [], None)


def test_a_chore_that_fails_is_not_tried_again_and_the_others_go_on() -> None:
    clock, timers, chores = made()
    notes: list[str] = []
    chores.add(Broken())
    chores.add(Counted("a", 2, notes))
    with pytest.raises(ValueError, match="a defect"):
        rounds(clock, timers, 1)
    rounds(clock, timers, 5)
    assert notes == ["a", "a"]


def test_before_a_stop_all_of_it_is_done() -> None:
    clock, timers, chores = made()
    notes: list[str] = []
    chores.add(Counted("a", 3, notes))
    chores.add(Counted("b", 1, notes))
    chores.finish()
    assert sorted(notes) == ["a", "a", "a", "b"]
    rounds(clock, timers, 3)
    assert len(notes) == 4


@pytest.mark.parametrize(
    "heap",
    [list(range(2 * SLICE + 1)), dict.fromkeys(range(2 * SLICE + 1)), set(range(2 * SLICE + 1))],
    ids=["list", "dict", "set"],
)
def test_rubble_goes_a_slice_at_a_time(heap: Heap) -> None:
    rubble = Rubble(heap)
    sizes = []
    while not rubble.slice():
        sizes.append(len(heap))
    assert sizes == [SLICE + 1, 1]
    assert not heap
