"""What a survey says of a journal that is damaged, and what salvage makes of it; a broker's recovery has to agree."""

from collections.abc import Iterator
from random import Random

import pytest

from amq.journal import frame, record
from amq.journal.damage import Damage
from amq.journal.frame import Header
from amq.journal.replay import Corrupt, consecutive
from amq.server import journal_files
from amq.wire import properties as props
from tests.journal.damaged import (
    ALIVE,
    HEADER,
    Files,
    Writer,
    alive,
    flipped,
    mended,
    recovered,
    small_journal,
    surveyed,
)

PROPERTIES = props.read(HEADER)
FIRST, SECOND, THIRD = "0000000001.seg", "0000000002.seg", "0000000003.seg"


@pytest.fixture(autouse=True)
def small_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_files, "LEAST_BYTES", 4096)
    monkeypatch.setattr(journal_files, "FIRST_BYTES", 4096)
    monkeypatch.setattr(journal_files, "PART", 1 << 28)


@pytest.fixture
def files() -> Files:
    return small_journal()


def only_damage(files: Files) -> Damage:
    (damage,) = surveyed(files).damages
    return damage


def header_of(octets: bytes) -> Header:
    header = frame.read_segment_header(octets)
    assert header is not None
    return header


def starts(octets: bytes) -> list[int]:
    """Where the frames of a segment begin, and where the last one ends."""
    header = header_of(octets)
    found = list(consecutive(octets, header.salt, frame.SEGMENT_HEADER, header.first_sequence, None))
    return [*[each.start for each in found], found[-1].end]


def wrecked(files: Files, name: str, number: int) -> Files:
    """The same with the header of a frame, counted from 0, gone."""
    at = starts(files[name])[number]
    return {**files, name: files[name][:at] + bytes(48) + files[name][at + 48 :]}


def test_a_whole_journal_has_no_damage_and_its_messages_are_counted(files: Files) -> None:
    survey = surveyed(files)
    assert survey.damages == []
    assert survey.torn is None
    assert survey.frames == 10
    assert alive(survey) == ALIVE == recovered(files)
    assert [runs.messages for runs in survey.census.segments] == [6, 7, 4]
    assert [runs.alive for runs in survey.census.segments] == [2, 5, 4]


def test_messages_in_queues_that_are_not_known_are_not_counted(files: Files) -> None:
    survey = surveyed(files)
    piles = survey.census.count({8})
    assert {queue: (pile.messages, pile.octets) for queue, pile in piles.items()} == {8: (6, 20 + 1 + 2 + 6)}
    assert [runs.alive for runs in survey.census.segments] == [2, 1, 3]


def one_flip_per_octet(files: Files) -> Iterator[tuple[str, int, Files]]:
    random = Random(0)
    for name, octets in files.items():
        for at in range(len(octets)):
            yield name, at, flipped(files, name, 8 * at + random.randrange(8))


def test_every_flipped_bit_is_harmless_or_found_where_it_is(files: Files) -> None:
    found = 0
    for name, at, changed in one_flip_per_octet(files):
        survey = surveyed(changed)
        if not survey.damages:
            assert alive(survey) == ALIVE, (name, at)
            continue
        found += 1
        (damage,) = survey.damages
        begins = [0, *starts(files[name])]
        assert damage.name == name
        assert damage.offset == max(begin for begin in begins if begin <= at), (name, at)
        assert damage.offset <= at < damage.end
    assert found > sum(map(len, files.values())) * 0.7


def test_recovery_and_survey_agree_on_what_is_damaged_and_salvage_makes_it_good(files: Files) -> None:
    for name, at, changed in one_flip_per_octet(files):
        survey = surveyed(changed)
        if survey.damages:
            with pytest.raises(Corrupt):
                recovered(changed)
            salvaged = mended(changed, survey)
            assert surveyed(salvaged).damages == []
            assert recovered(salvaged) == alive(survey), (name, at)
        else:
            assert recovered(changed) == ALIVE, (name, at)


def test_nothing_is_lost_but_what_is_said_to_be(files: Files) -> None:
    everything = set(range(1, 18))
    for name, at, changed in one_flip_per_octet(files):
        survey = surveyed(changed)
        said = {
            lsn for damage in survey.damages for low, high in damage.gaps for lsn in range(low or 0, (high or 17) + 1)
        }
        found = alive(survey)
        there = {lsn for lsns in found.values() for lsn in lsns}
        for queue, lsns in ALIVE.items():
            assert lsns <= found.get(queue, set()) | said, (name, at)
        assert there <= everything
        assert not said & there, (name, at)


def test_a_frame_with_a_damaged_header_is_lost_and_its_messages_are_named(files: Files) -> None:
    begins = starts(files[SECOND])
    damage = only_damage(wrecked(files, SECOND, 2))
    assert (damage.name, damage.offset, damage.end) == (SECOND, begins[2], len(files[SECOND]))
    assert (damage.first, damage.last) == (6, 6)
    assert damage.gaps == [(10, 13)]
    assert damage.settled == 1
    assert damage.around == [7, 8]
    assert damage.problem == "a frame that was safe cannot be read"


def test_messages_of_a_lost_frame_may_be_missing_at_the_end_for_all_that_is_known(files: Files) -> None:
    damage = only_damage(wrecked(files, THIRD, 2))
    assert (damage.first, damage.last, damage.gaps) == (9, 9, [(17, None)])


def test_what_a_lost_acknowledgement_was_about_is_alive_again(files: Files) -> None:
    changed = wrecked(files, SECOND, 1)
    survey = surveyed(changed)
    (damage,) = survey.damages
    assert damage.gaps == []
    assert damage.loses()
    assert alive(survey) == {7: ALIVE[7] | {2, 3, 8}, 8: ALIVE[8]}
    assert recovered(mended(changed, survey)) == alive(survey)


def test_of_a_frame_with_one_damaged_record_the_other_messages_are_kept(files: Files) -> None:
    at = files[SECOND].index(b"1011") + 1
    changed = flipped(files, SECOND, 8 * at)
    survey = surveyed(changed)
    (damage,) = survey.damages
    assert damage.problem == "1 of 3 records of a frame are damaged"
    assert damage.gaps == [(10, 11)]
    assert damage.kept == 2
    assert alive(survey) == {7: ALIVE[7] - {11}, 8: ALIVE[8]}
    assert recovered(mended(changed, survey)) == alive(survey)


def test_of_a_frame_with_a_damaged_message_no_acknowledgement_is_believed(files: Files) -> None:
    at = files[FIRST].index(b"4" * 20)
    survey = surveyed(flipped(files, FIRST, 8 * at))
    # Message 1 was acknowledged in the same batch, perhaps because of what is lost.
    assert alive(survey) == {7: ALIVE[7] - {4} | {1}, 8: ALIVE[8] - {4}}


def test_a_torn_end_is_no_damage(files: Files) -> None:
    begins = starts(files[THIRD])
    torn = files[THIRD][: begins[2] + 60] + bytes(len(files[THIRD]) - begins[2] - 60)
    survey = surveyed({**files, THIRD: torn})
    assert survey.damages == []
    assert survey.torn == (THIRD, begins[2])
    assert alive(survey) == {7: ALIVE[7] - {17}, 8: ALIVE[8]}


def test_a_cut_last_segment_is_no_damage_as_nothing_vouches_for_what_is_gone(files: Files) -> None:
    begins = starts(files[THIRD])
    survey = surveyed({**files, THIRD: files[THIRD][: begins[1]]})
    assert survey.damages == []
    assert survey.torn is None


@pytest.mark.parametrize("left", [0, 30, 64, 100, 304])
def test_a_cut_segment_before_others_is_damage(files: Files, left: int) -> None:
    changed = {**files, SECOND: files[SECOND][:left]}
    survey = surveyed(changed)
    (damage,) = survey.damages
    assert damage.name == SECOND
    assert damage.last == 6
    assert damage.gaps[-1] in [(7, 13), (10, 13)]
    with pytest.raises(Corrupt):
        recovered(changed)
    assert recovered(mended(changed, survey)) == alive(survey)


def test_a_missing_segment_is_named_with_all_that_was_in_it(files: Files) -> None:
    changed = {FIRST: files[FIRST], THIRD: files[THIRD]}
    survey = surveyed(changed)
    (damage,) = survey.damages
    assert (damage.name, damage.offset, damage.problem) == (SECOND, 0, "the segment is missing")
    assert (damage.first, damage.last, damage.gaps) == (4, 6, [(7, 13)])
    assert alive(survey) == {7: {2, 3, 4, 17}, 8: ALIVE[8] - {12}}
    assert recovered(mended(changed, survey)) == alive(survey)


def test_several_missing_segments_are_one_damage() -> None:
    writer = Writer()
    for _ in range(4):
        writer.publish([b"x"], 7)
        writer.write()
        writer.roll()
    files = writer.contents()
    damage = only_damage({name: octets for name, octets in files.items() if name not in (SECOND, THIRD)})
    assert damage.problem == "segments 2 to 3 are missing"
    assert (damage.first, damage.last, damage.gaps) == (2, 3, [(2, 3)])


@pytest.mark.parametrize("name", [FIRST, SECOND, THIRD])
def test_behind_a_damaged_header_the_frames_are_found(files: Files, name: str) -> None:
    changed = flipped(files, name, 8 * 20)
    survey = surveyed(changed)
    (damage,) = survey.damages
    assert (damage.name, damage.offset, damage.problem) == (name, 0, "the header of the segment is damaged")
    assert not damage.loses()
    assert alive(survey) == ALIVE
    assert recovered(mended(changed, survey)) == ALIVE


def test_of_a_segment_of_zeros_nothing_is_known_but_what_is_missing(files: Files) -> None:
    survey = surveyed({**files, SECOND: bytes(len(files[SECOND]))})
    (damage,) = survey.damages
    assert damage.unknown
    assert (damage.end, damage.first, damage.last, damage.gaps) == (len(files[SECOND]), 4, 6, [(7, 13)])


def test_of_a_last_segment_of_zeros_nothing_is_known(files: Files) -> None:
    changed = {**files, THIRD: bytes(len(files[THIRD]))}
    survey = surveyed(changed)
    (damage,) = survey.damages
    assert damage.unknown and damage.loses()
    assert damage.gaps == [(14, None)]
    assert recovered(mended(changed, survey)) == alive(survey)


def test_a_journal_of_which_nothing_can_be_read_becomes_an_empty_one() -> None:
    changed = {FIRST: bytes(1000)}
    survey = surveyed(changed)
    assert survey.damages[0].gaps == [(1, None)]
    assert mended(changed, survey) == {}


def test_a_segment_under_the_name_of_another_is_said_to_be_one(files: Files) -> None:
    changed = {FIRST: files[FIRST], SECOND: files[SECOND], "0000000004.seg": files[THIRD]}
    first, second = surveyed(changed).damages
    assert first.problem == "the segment is missing" and not first.loses()
    assert second.problem == "the segment has the name of another: its header says number 3"
    assert recovered(mended(changed, surveyed(changed))) == ALIVE


def test_a_segment_that_was_written_over_by_another_is_lost_and_the_other_one_is_not(files: Files) -> None:
    changed = {**files, SECOND: files[THIRD]}
    survey = surveyed(changed)
    (damage,) = survey.damages
    assert (damage.name, damage.first, damage.last, damage.gaps) == (SECOND, 4, 6, [(7, 13)])
    assert alive(survey) == {7: {2, 3, 4, 17}, 8: ALIVE[8] - {12}}
    assert recovered(mended(changed, survey)) == alive(survey)


def test_what_an_earlier_life_of_a_file_left_behind_is_not_read(files: Files) -> None:
    # A frame with a lower number and another salt, where the last segment is unused.
    header = header_of(files[FIRST])
    first, second, *_ = starts(files[FIRST])
    end = starts(files[THIRD])[-1]
    stale = files[THIRD][:end] + files[FIRST][first:second]
    survey = surveyed({**files, THIRD: stale})
    assert (survey.damages, survey.torn) == ([], None)
    # Also when the header, which says which salt is the right one, is damaged.
    survey = surveyed(flipped({**files, THIRD: stale}, THIRD, 8 * 17))
    assert header.salt != header_of(files[THIRD]).salt
    assert alive(survey) == ALIVE


def test_a_record_that_nobody_knows_is_damage_although_its_checksum_is_right() -> None:
    writer = Writer()
    writer.publish([b"1"], 7)
    writer.write()
    writer.batch.work.add(record.seal(99, [b"from the future"]))
    writer.publish([b"2"], 7)
    writer.write()
    writer.publish([b"3"], 7)
    writer.write()
    writer.mark()
    survey = surveyed(writer.contents())
    (damage,) = survey.damages
    assert damage.problem == "a record of the unknown kind 99"
    assert damage.kept == 1
    assert alive(survey) == {7: {1, 2, 3}}
    with pytest.raises(Corrupt):
        recovered(writer.contents())


@pytest.fixture
def copied() -> Files:
    """Messages 1 to 3 for two queues, and what of them is alive once more in the next segment."""
    writer = Writer()
    writer.publish([b"1", b"2", b"3"], 7, 8)
    writer.write()
    writer.settle(7, 1, 2)
    writer.write()
    writer.roll()
    # As when the first segment is to go: under the LSNs that they had, for the queues in which they are.
    writer.publish([b"4"], 7)
    writer.write()
    writer.batch.run(1, [b"1", b"2"], b"\0\0", HEADER, PROPERTIES, [8])
    writer.batch.run(3, [b"3"], b"\0\0", HEADER, PROPERTIES, [7, 8])
    writer.write()
    writer.settle(8, 3)
    writer.write()
    writer.mark()
    return writer.contents()


COPIED = {7: {3, 4}, 8: {1, 2}}


def test_messages_that_were_written_again_count_once(copied: Files) -> None:
    survey = surveyed(copied)
    assert survey.damages == []
    assert alive(survey) == COPIED
    assert [runs.alive for runs in survey.census.segments] == [3, 1]
    assert survey.census.holder(3) == 1
    assert survey.census.holder(5) is None


def test_a_copy_stands_for_an_original_that_is_gone_with_its_segment(copied: Files) -> None:
    survey = surveyed({SECOND: copied[SECOND]})
    assert survey.damages == []
    assert alive(survey) == COPIED == recovered({SECOND: copied[SECOND]})
    assert [runs.alive for runs in survey.census.segments] == [4]


def test_a_copy_takes_the_place_of_an_original_that_is_damaged(copied: Files) -> None:
    changed = wrecked(copied, FIRST, 0)
    survey = surveyed(changed)
    (damage,) = survey.damages
    assert (damage.gaps, damage.carried) == ([], 0)
    assert alive(survey) == COPIED
    salvaged = mended(changed, survey)
    assert recovered(salvaged) == COPIED
    # In order, as nothing but a broker's own copies may be out of it.
    runs = [lsn for segment in surveyed(salvaged).census.segments for lsn in segment.lsns]
    assert runs == sorted(runs)


def test_of_a_lost_copy_it_is_said_that_older_messages_may_have_been_there(copied: Files) -> None:
    (damage,) = surveyed(wrecked({SECOND: copied[SECOND]}, SECOND, 1)).damages
    assert (damage.gaps, damage.carried) == ([(5, None)], 3)


def ravaged(files: Files, random: Random) -> Files:
    """The same after several misfortunes."""
    changed = dict(files)
    for _ in range(random.randint(1, 4)):
        name = random.choice(sorted(changed))
        octets = changed[name]
        at = random.randrange(len(octets) + 1)
        match random.randrange(5):
            case 0:
                changed[name] = octets[:at]
            case 1:
                garbage = random.randbytes(random.randrange(200))
                changed[name] = octets[:at] + garbage + octets[at + len(garbage) :]
            case 2:
                changed[name] = octets[:at] + bytes(100) + octets[at + 100 :]
            case 3:
                # Octets that were written to the wrong place.
                other = changed[random.choice(sorted(changed))]
                changed[name] = octets[: at & ~7] + other[random.randrange(64) & ~7 :]
            case 4 if len(changed) > 1:
                del changed[name]
    return changed


def test_whatever_happens_to_a_journal_it_can_be_surveyed_and_salvaged(files: Files) -> None:
    damaged = 0
    for seed in range(500):
        changed = ravaged(files, Random(seed))
        survey = surveyed(changed)
        salvaged = mended(changed, survey)
        again = surveyed(salvaged)
        assert again.damages == [], seed
        assert again.torn is None, seed
        assert alive(again) == alive(survey), seed
        assert recovered(salvaged) == alive(survey), seed
        damaged += bool(survey.damages)
        try:
            found = recovered(changed)
        except Corrupt:
            assert survey.damages, seed
        else:
            assert not survey.damages, seed
            assert found == alive(survey), seed
    assert damaged > 250
