"""A damaged journal is replaced by what can be read of it. The damaged one is kept.

    journal.salvaging          the new one, while it is written; whatever is in it is of no use
    journal.salvaged           the new one, whole and safe
    journal.damaged-<time>     the old one

A crash at any moment leaves the old one or the new one in its place, or neither and `journal.salvaged`: a broker does
not start then, and another salvage takes up where the last one stopped.
"""

import os
import shutil
import time
from pathlib import Path

from amq.journal.mending import Mender
from amq.journal.salvageable import Part
from amq.journal.segment import segment_name
from amq.journal.survey import Scan, Survey
from amq.server.folder import PRIVATE, PRIVATE_FILE, DataFolder, sync_folder
from amq.server.offline import take_survey


def finish_interrupted(folder: DataFolder) -> bool:
    """Put the new journal in its place if the last salvage was interrupted just before. Raises OSError."""
    if folder.journal.exists() or not folder.salvaged.exists():
        return False
    folder.salvaged.rename(folder.journal)
    sync_folder(folder.path)
    return True


def replace(folder: DataFolder, survey: Survey) -> Path:
    """Write what the survey could read as a new journal; returns where the damaged one is now. Raises OSError."""
    draft = folder.path / "journal.salvaging"
    for leftover in (draft, folder.salvaged):
        if leftover.exists():
            shutil.rmtree(leftover)
    draft.mkdir(PRIVATE)
    try:
        _write(folder.journal, survey, draft)
    except OSError:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    draft.rename(folder.salvaged)
    sync_folder(folder.path)
    damaged = _unused(folder.path)
    folder.journal.rename(damaged)
    sync_folder(folder.path)
    folder.salvaged.rename(folder.journal)
    sync_folder(folder.path)
    return damaged


def _write(journal: Path, survey: Survey, draft: Path) -> None:
    now = int(time.time() * 1000)
    mender = Mender(survey)
    index = 0

    def mend(_part: Part, scan: Scan | None, octets: bytes) -> None:
        nonlocal index
        if scan is not None:
            name = segment_name(mender.number)
            pieces = mender.mend(scan, index, octets, int.from_bytes(os.urandom(4), "little"), now)
            if pieces:
                _write_file(draft / name, pieces)
        index += 1

    take_survey(journal, mend)
    _give(draft, journal.stat())
    sync_folder(draft)


def _write_file(path: Path, pieces: list[bytes]) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, PRIVATE_FILE)
    with os.fdopen(fd, "wb") as file:
        file.writelines(pieces)
        file.flush()
        os.fsync(fd)


def _give(draft: Path, owner: os.stat_result) -> None:
    """Root may salvage what the broker's user is to read."""
    if os.geteuid() == 0:
        for path in (draft, *draft.iterdir()):
            os.chown(path, owner.st_uid, owner.st_gid)


def _unused(folder: Path) -> Path:
    """A name for a damaged journal that no other one has."""
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    name = folder / f"journal.damaged-{stamp}"
    count = 1
    while name.exists():
        count += 1
        name = folder / f"journal.damaged-{stamp}-{count}"
    return name
