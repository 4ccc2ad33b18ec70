"""Celery's chords, which need a result backend that can be joined: files here, the broker carries the tasks."""

from __future__ import annotations

from collections.abc import Iterator

import kombu
import pytest
from celery import Celery, chord, group
from celery.exceptions import ChordError

from tests.clients.celery_app import create_app, entity_names, task
from tests.clients.celery_worker import celery_worker
from tests.clients.target import Address, Names

PATIENCE = 20.0


@pytest.fixture(scope="module")
def app(server: Address, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Celery]:
    folder = tmp_path_factory.mktemp("chords")
    backend = f"file://{folder}"
    names = Names(server)
    names.taken += entity_names(names.prefix)
    with celery_worker(folder, server.url, backend, names.prefix):
        app = create_app(server.url, backend, names.prefix)
        yield app
        app.close()
        kombu.pools.reset()
    names.delete_all()


def test_a_chord_runs_its_body_when_the_header_is_done(app: Celery) -> None:
    add, total = task(app, "add"), task(app, "total")
    header = [add.s(number, number) for number in range(10)]
    assert chord(header)(total.s()).get(timeout=PATIENCE) == 90


def test_a_chord_waits_for_delayed_and_retried_tasks(app: Celery) -> None:
    header = [task(app, "add").s(1, 1).set(countdown=0.5), task(app, "flaky").s(2)]
    assert chord(header)(task(app, "total").s()).get(timeout=PATIENCE) == 4


def test_a_group_upgraded_to_a_chord_in_a_chain(app: Celery) -> None:
    add, total = task(app, "add"), task(app, "total")
    workflow = group(add.s(1, 1), add.s(2, 2)) | total.s() | add.s(100)
    assert workflow.apply_async().get(timeout=PATIENCE) == 106


def test_a_chord_with_a_failed_header_fails(app: Celery) -> None:
    header = [task(app, "add").s(1, 1), task(app, "fail").s("no")]
    # The client raises the body's ChordError or, if it looks at the header first, what the header's task raised.
    with pytest.raises((ChordError, ValueError), match="no"):
        chord(header)(task(app, "total").s()).get(timeout=PATIENCE)
