"""The moment, and what falls due later."""

from amq.clock import Clock, Timed, Timers


class Noting(Timed):
    """Notes when it was called; may plan itself again."""

    def __init__(self, timers: Timers, name: str, called: list[tuple[str, float]], again: float = 0) -> None:
        self.timers = timers
        self.name = name
        self.called = called
        self.again = again

    def due(self, now: float) -> None:
        self.called.append((self.name, now))
        if self.again:
            self.timers.add(self.again, self)
            self.again = 0


def test_wall_time_follows_the_monotonic_one() -> None:
    clock = Clock(50.0, 1_700_000_000.0)
    clock.now += 2.5
    assert clock.wall() == 1_700_000_002.5


def test_a_corrected_offset_moves_the_wall_time_alone() -> None:
    clock = Clock(50.0, 1000.0)
    clock.offset += 60
    assert clock.wall() == 1060.0
    assert clock.now == 50.0


def test_nothing_planned_has_no_deadline() -> None:
    timers = Timers()
    assert timers.next_deadline() is None
    timers.advance(1e9)


def test_what_is_due_is_called_once_in_the_order_of_deadlines() -> None:
    timers = Timers()
    called: list[tuple[str, float]] = []
    for name, deadline in (("c", 3.0), ("a", 1.0), ("b", 2.0)):
        timers.add(deadline, Noting(timers, name, called))
    assert timers.next_deadline() == 1.0
    timers.advance(2.0)
    assert called == [("a", 2.0), ("b", 2.0)]
    assert timers.next_deadline() == 3.0
    timers.advance(2.9)
    timers.advance(3.0)
    assert called == [("a", 2.0), ("b", 2.0), ("c", 3.0)]
    assert timers.next_deadline() is None


def test_equal_deadlines_are_kept_in_the_order_of_planning() -> None:
    timers = Timers()
    called: list[tuple[str, float]] = []
    for name in "abcde":
        timers.add(1.0, Noting(timers, name, called))
    timers.advance(1.0)
    assert [name for name, _ in called] == list("abcde")


def test_what_is_planned_while_others_are_called_waits_for_its_own_time() -> None:
    timers = Timers()
    called: list[tuple[str, float]] = []
    timers.add(1.0, Noting(timers, "soon", called, again=5.0))
    timers.advance(1.0)
    assert called == [("soon", 1.0)]
    timers.advance(5.0)
    assert called == [("soon", 1.0), ("soon", 5.0)]


def test_what_is_planned_for_a_time_that_has_passed_is_called_at_once() -> None:
    timers = Timers()
    called: list[tuple[str, float]] = []
    timers.add(1.0, Noting(timers, "late", called, again=2.0))
    timers.advance(10.0)
    assert called == [("late", 10.0), ("late", 10.0)]
