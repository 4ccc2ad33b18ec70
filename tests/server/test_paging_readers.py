"""Paging files under a reader: what is dropped while it is read."""

from pathlib import Path

import pytest

from amq.journal.loading import Page
from amq.server import paging
from amq.server.paging import Paging


def test_a_file_stays_while_a_page_is_read_that_nobody_wants_any_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paging, "FILE_BYTES", 10)
    files = Paging(tmp_path)
    page = Page([b"12345", b"67890"])
    files.write([page])
    page.reading = page.dropped = True
    files.clear()
    assert files.read(page) == b"1234567890"
    page.reading = False
    files.clear()
    assert not files.in_use()
