"""Paging files: what was written comes back, and nothing stays behind."""

import os
from pathlib import Path

import pytest

from amq.journal.loading import Page
from amq.server import paging
from amq.server.paging import Paging
from tests.harness.machine import needs_proc


def written(paging: Paging, *pieces: list[bytes]) -> list[Page]:
    """Pages that are in a file and no longer in memory."""
    pages = [Page(each) for each in pieces]
    paging.write(pages)
    for page in pages:
        page.pieces = None
    return pages


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_pages_come_back_as_they_were(tmp_path: Path) -> None:
    store = Paging(tmp_path)
    first = written(store, [b"a", b"", b"bc"], [b"def"])
    second = written(store, [b"x" * 1_000_000])
    assert [store.read(page) for page in (*second, *first)] == [b"x" * 1_000_000, b"abc", b"def"]
    store.close()


def test_a_page_of_very_many_pieces_is_written_whole(tmp_path: Path) -> None:
    store = Paging(tmp_path)
    pieces = [b"%d," % number for number in range(3 * paging.IOV_MAX + 7)]
    (page,) = written(store, pieces)
    assert store.read(page) == b"".join(pieces)
    store.close()


def test_what_nobody_wants_any_more_is_not_written(tmp_path: Path) -> None:
    store = Paging(tmp_path)
    page = Page([b"gone"])
    page.dropped = True
    store.write([page])
    assert page.place is None
    store.close()


def test_files_have_no_names(tmp_path: Path) -> None:
    store = Paging(tmp_path)
    written(store, [b"a"])
    assert list(tmp_path.iterdir()) == []
    store.close()


@needs_proc
def test_a_file_is_closed_when_it_is_full_and_nothing_in_it_is_wanted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paging, "FILE_BYTES", 10)
    store = Paging(tmp_path)
    before = descriptors()
    one, two, three = (written(store, [b"12345678"])[0] for _ in range(3))
    assert descriptors() == before + 2, "a page may go beyond the end, the next one goes into another file"
    store.clear()
    assert descriptors() == before + 2
    one.dropped = True
    store.clear()
    assert store.read(two) == b"12345678"
    two.dropped = True
    store.clear()
    assert descriptors() == before + 1
    three.dropped = True
    store.clear()
    assert descriptors() == before + 1, "there is room in it"
    assert store.read(written(store, [b"more"])[0]) == b"more"
    store.close()
    assert descriptors() == before


def test_a_page_that_is_cut_short_is_an_error(tmp_path: Path) -> None:
    store = Paging(tmp_path)
    (page,) = written(store, [b"12345678"])
    assert isinstance(page.place, paging.Place)
    os.ftruncate(page.place.file.fd, 5)
    with pytest.raises(OSError, match="cut short"):
        store.read(page)
    store.close()


def test_a_folder_that_is_gone_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Paging(tmp_path / "gone").write([Page([b"a"])])
