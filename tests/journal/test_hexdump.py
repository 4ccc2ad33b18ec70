"""The octets that docs/formats/journal.md shows are a journal, and mean what it says."""

import re
from pathlib import Path

import pytest

from amq.journal import frame, record
from amq.journal.frame import Frame, Header
from amq.journal.replay import consecutive, records
from tests.journal.damaged import alive, surveyed
from tests.journal.hexdump import annotated, read_back

PAGE = Path(__file__).parents[2] / "docs/formats/journal.md"
QUEUE = 7672104686600440810
SEGMENT = "0000000001.seg"


@pytest.fixture
def lines() -> list[str]:
    (block,) = re.findall(r"^```text\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    shown: str = block
    return shown.splitlines()


@pytest.fixture
def octets(lines: list[str]) -> bytes:
    return read_back(lines)


@pytest.fixture
def header(octets: bytes) -> Header:
    header = frame.read_segment_header(octets)
    assert header is not None
    return header


@pytest.fixture
def frames(octets: bytes, header: Header) -> list[Frame]:
    return list(consecutive(octets, header.salt, frame.SEGMENT_HEADER, header.first_sequence, None))


def test_every_octet_is_explained_as_the_tables_of_the_page_have_it(lines: list[str], octets: bytes) -> None:
    assert annotated(octets) == lines


def test_the_header_is_one(header: Header) -> None:
    assert (header.number, header.first_sequence, header.first_lsn) == (1, 1, 1)


def test_the_frames_are_whole_and_vouch_for_what_the_page_says(frames: list[Frame], octets: bytes) -> None:
    assert [(each.sequence, each.synced, each.count, each.flags) for each in frames] == [
        (1, 0, 2, 0),
        (2, 1, 0, frame.MARK),
        (3, 1, 1, 0),
        (4, 3, 0, frame.MARK),
        (5, 3, 1, 0),
        (6, 5, 0, frame.MARK),
    ]
    assert octets[frames[-1].end :].strip(b"\0") == b""


def test_the_records_are_the_story_that_the_page_tells(frames: list[Frame], octets: bytes) -> None:
    places = [place for each in frames for place in records(octets, each)]
    assert [kind for _, kind in places] == [record.RUN, record.RUN, record.SETTLED, record.CLEAN]
    (first, _), (second, _), (settled, _), (clean, _) = places
    published = []
    for pos in (first, second):
        run = record.read_run(octets, pos)
        assert list(run.queues) == [QUEUE]
        published += record.messages(octets, pos, run, record.content_like(octets, pos, run, None))
    assert [(message.lsn, message.body) for message in published] == [(1, b"Hello"), (2, b"world"), (3, b"again")]
    assert {(message.exchange(), message.routing_key()) for message in published} == {(b"", b"tasks")}
    assert all(message.properties.persistent for message in published)
    assert record.read_settled(octets, settled) == (QUEUE, range(1, 2))
    assert record.read_clean(octets, clean) == {QUEUE: {0: 2}}


def test_two_messages_are_alive_in_it(octets: bytes) -> None:
    survey = surveyed({SEGMENT: octets})
    assert survey.damages == []
    assert survey.clean
    assert alive(survey) == {QUEUE: {2, 3}}
