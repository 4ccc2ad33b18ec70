"""Recovery: what was published and not settled is alive, in order; damage is told from a torn end."""

import pytest

from amq.journal import frame, record
from amq.journal.replay import Corrupt, Stretch, survey
from tests.journal.build import Paper, alive

A, B = 7, 8


def stretch(found: Stretch) -> tuple[int, ...]:
    return (found.first, found.count, found.priority, found.expires, found.time, found.octets)


def test_an_empty_journal_holds_nothing_and_numbers_begin_with_one() -> None:
    replay = Paper().replay()
    assert alive(replay) == {}
    assert (replay.next_lsn, replay.delivered) == (1, None)


def test_what_was_settled_is_gone_in_whatever_segment_that_was_said() -> None:
    paper = Paper()
    paper.publish([b"1", b"2", b"3"], [A, B])
    paper.settle(A, 1)
    paper.roll()
    paper.publish([b"4"], [B])
    paper.settle(B, 2, 4)
    paper.roll()
    paper.settle(A, 3)
    assert paper.restart() == {A: [2], B: [1, 3]}


def test_what_was_settled_stays_so_when_its_queue_was_empty_meanwhile() -> None:
    paper = Paper()
    for lsn in range(1, 4):
        paper.publish([b"m"], [A])
        if lsn < 3:
            paper.settle(A, lsn)
    assert paper.restart() == {A: [3]}


def test_a_message_that_is_published_and_settled_in_one_batch_never_was() -> None:
    paper = Paper()
    paper.batch.settle_now(A, range(1, 2), 1)
    paper.publish([b"1", b"2"], [A])
    assert paper.restart() == {A: [2]}


def test_numbers_go_on_behind_the_highest_that_was_given() -> None:
    paper = Paper()
    paper.publish([b"1", b"2", b"3"], [A])
    paper.settle(A, 1, 2, 3)
    paper.restart()
    assert paper.batch.next_lsn == 4
    paper.drop()
    paper.restart()
    assert paper.batch.next_lsn == 4, "although no record is left"
    assert paper.publish([b"4"], [A]) == 4
    assert paper.restart() == {A: [4]}


def test_words_about_messages_whose_segment_has_gone_take_nothing_from_others() -> None:
    paper = Paper()
    paper.publish([b"m"] * 5, [A])
    paper.roll()
    paper.publish([b"m"] * 5, [A])
    paper.settle(A, *range(1, 6))
    assert paper.drop() == [1]
    paper.settle(A, *range(6, 10))
    paper.restart()
    paper.roll()
    assert paper.drop() == []
    assert paper.restart() == {A: [10]}


def test_queues_that_are_not_known_have_nothing_and_hold_no_segment() -> None:
    paper = Paper()
    paper.publish([b"1"], [A, B])
    paper.publish([b"2"], [B])
    paper.roll()
    replay = paper.replay()
    assert alive(replay, known={A}) == {A: [1]}
    assert replay.log.segments[0].alive == {A: 1}


def test_messages_that_are_alike_come_back_as_one_stretch() -> None:
    paper = Paper()
    paper.batch.clock.now = 1.0
    for _ in range(3):
        paper.publish([b"aa", b"bb"], [A])
    paper.roll()
    paper.publish([b"c"], [A])
    replay = paper.replay()
    (found,) = replay.alive(set(), {A})[A]
    assert stretch(found) == (1, 7, 0, record.NEVER, 0, 13)


def test_a_stretch_ends_where_priority_or_times_change_or_a_message_is_missing() -> None:
    paper = Paper()
    for now, options in ((1.0, {}), (1.0, {"priority": 3}), (1.0, {"ttl": 500}), (2.0, {"ttl": 500}), (2.0, {})):
        paper.batch.clock.now = now
        paper.publish([b"m", b"m"], [A, B], **options)
    paper.settle(A, 2)
    replay = paper.replay()
    found = replay.alive({B}, {A, B})
    assert [stretch(each) for each in found[A]] == [
        (1, 1, 0, -1, 0, 1),
        (3, 2, 3, -1, 0, 2),
        (5, 2, 0, 1500, 0, 2),
        (7, 2, 0, 2500, 0, 2),
        (9, 2, 0, -1, 0, 2),
    ]
    assert [stretch(each) for each in found[B]] == [
        (1, 2, 0, -1, 1000, 2),
        (3, 2, 3, -1, 1000, 2),
        (5, 2, 0, 1500, 1000, 2),
        (7, 2, 0, 2500, 2000, 2),
        (9, 2, 0, -1, 2000, 2),
    ]


@pytest.mark.parametrize(
    ("expires", "ttl", "deadline"), [(-1, -1, -1), (700, -1, 700), (-1, 5, 1005), (1003, 5, 1003), (2000, 5, 1005)]
)
def test_the_earlier_of_two_deadlines_counts(expires: int, ttl: int, deadline: int) -> None:
    assert Stretch(1, 1, 0, expires, 1000, 1).deadline(ttl) == deadline


def test_only_the_last_word_can_be_of_a_stop_in_good_order() -> None:
    paper = Paper()
    paper.publish([b"m"], [A])
    paper.batch.say_clean([(A, 0, 1)])
    paper.write()
    paper.mark()
    assert paper.replay().delivered == {A: {0: 1}}
    paper.restart()
    paper.publish([b"m"], [A])
    assert paper.replay().delivered is None


# -- the end, and damage --


def three_frames() -> tuple[Paper, list[int]]:
    """A log with three frames, and where each begins and the last one ends."""
    paper = Paper()
    edges = []
    for _ in range(3):
        edges.append(paper.log.segments[0].used)
        paper.publish([b"m"], [A])
    return paper, [*edges, paper.log.segments[0].used]


def end_of(paper: Paper) -> tuple[int, int, int, list[int], bool]:
    name, octets = list(paper.octets.items())[-1]
    header = frame.read_segment_header(bytes(octets))
    assert header is not None
    found = survey(name, bytes(octets), header)
    return found.at, found.sequence, found.synced, [each.sequence for each in found.unvouched], found.empty


def test_nothing_says_that_the_last_frame_was_safe_but_a_mark() -> None:
    paper, edges = three_frames()
    assert end_of(paper) == (edges[3], 4, 2, [3], False)
    paper.mark()
    assert end_of(paper) == (paper.log.segments[0].used, 5, 3, [4], False)


def test_a_segment_without_frames_is_empty() -> None:
    assert end_of(Paper()) == (frame.SEGMENT_HEADER, 1, 0, [], True)


def test_a_last_frame_that_is_torn_never_was() -> None:
    paper, edges = three_frames()
    octets = paper.octets[paper.log.segments[0].name]
    octets[edges[3] - 8 : edges[3]] = bytes(8)
    assert end_of(paper) == (edges[2], 3, 1, [2], False)
    assert paper.restart() == {A: [1, 2]}


@pytest.mark.parametrize("damaged", [0, 1])
def test_a_frame_that_a_later_one_vouches_for_is_missed(damaged: int) -> None:
    paper, edges = three_frames()
    name = paper.log.segments[0].name
    paper.octets[name][edges[damaged] + 60] ^= 1
    with pytest.raises(Corrupt, match="a frame that was safe cannot be read") as caught:
        end_of(paper)
    assert (caught.value.name, caught.value.offset, caught.value.sequence) == (name, edges[damaged], damaged + 1)


def test_a_mark_vouches_for_the_last_frame() -> None:
    paper, edges = three_frames()
    paper.mark()
    paper.octets[paper.log.segments[0].name][edges[2] + 60] ^= 1
    with pytest.raises(Corrupt) as caught:
        end_of(paper)
    assert (caught.value.offset, caught.value.sequence) == (edges[2], 3)


def test_a_later_segment_vouches_for_all_frames_before_it() -> None:
    paper, edges = three_frames()
    name = paper.log.segments[0].name
    paper.roll()
    paper.octets[name][edges[2] + 60] ^= 1
    with pytest.raises(Corrupt) as caught:
        paper.replay()
    assert (caught.value.name, caught.value.offset, caught.value.sequence) == (name, edges[2], 3)


def test_a_record_of_an_unknown_kind_stops_the_recovery() -> None:
    paper = Paper()
    paper.batch.work.add(record.seal(9, [b"from", b"the future"]))
    paper.write()
    with pytest.raises(Corrupt, match="unknown kind 9"):
        paper.replay()
