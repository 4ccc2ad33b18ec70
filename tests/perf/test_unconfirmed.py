"""What waits for its confirmation: any order of confirmations settles each message once."""

import random

import pytest

from amq.perf.unconfirmed import Unconfirmed


def some() -> Unconfirmed:
    made = Unconfirmed()
    made.add(1, 10, 100)
    made.add(11, 5, 200)
    return made


def test_all_up_to_one_are_settled_with_their_stamps() -> None:
    waiting = some()
    assert waiting.settle(12, True) == [(100, 10), (200, 2)]
    assert waiting.count == 3


def test_zero_with_multiple_settles_everything() -> None:
    waiting = some()
    assert waiting.settle(0, True) == [(100, 10), (200, 5)]
    assert waiting.count == 0


def test_one_that_comes_early_counts_once() -> None:
    waiting = some()
    assert waiting.settle(12, False) == [(200, 1)]
    assert waiting.settle(12, False) == []
    assert waiting.settle(13, True) == [(100, 10), (200, 2)]
    assert waiting.count == 2


def test_what_was_never_published_settles_nothing() -> None:
    waiting = some()
    assert waiting.settle(99, False) == []
    assert Unconfirmed().settle(1, True) == []
    assert waiting.count == 15


@pytest.mark.parametrize("seed", range(30))
def test_any_order_settles_each_once(seed: int) -> None:
    dice = random.Random(seed)
    waiting = Unconfirmed()
    stamps: dict[int, int] = {}
    published = 0
    settled = 0
    for step in range(300):
        if dice.random() < 0.4:
            count = dice.randrange(1, 20)
            waiting.add(published + 1, count, step)
            stamps.update(dict.fromkeys(range(published + 1, published + count + 1), step))
            published += count
        elif stamps:
            tag = dice.choice(list(stamps))
            multiple = dice.random() < 0.3
            gone = [each for each in stamps if each == tag or (multiple and each < tag)]
            expected: dict[int, int] = {}
            for each in gone:
                stamp = stamps.pop(each)
                expected[stamp] = expected.get(stamp, 0) + 1
            found = waiting.settle(tag, multiple)
            assert dict(found) == expected
            settled += len(gone)
        assert waiting.count == len(stamps) == published - settled
