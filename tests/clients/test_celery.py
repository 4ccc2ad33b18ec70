"""Celery with a real worker process and results over the same broker (rpc://)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import kombu
import pytest
from celery import Celery, chain, group
from celery.events import EventReceiver
from celery.exceptions import TaskRevokedError
from kombu import Connection, Exchange, Queue
from kombu.transport.native_delayed_delivery import (
    MAX_LEVEL,
    bind_queue_to_native_delayed_delivery_exchange,
    declare_native_delayed_delivery_exchanges_and_queues,
    level_name,
)

from tests.clients.celery_app import create_app, entity_names, task
from tests.clients.celery_worker import celery_worker
from tests.clients.target import Address, Names, await_state
from tests.harness.process import BrokerProcess

PATIENCE = 20.0


@pytest.fixture(scope="module")
def module_names(server: Address) -> Iterator[Names]:
    names = Names(server)
    names.taken += entity_names(names.prefix)
    yield names
    names.delete_all()


@pytest.fixture(scope="module")
def prefix(server: Address, module_names: Names, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The prefix under which a worker runs."""
    folder = tmp_path_factory.mktemp("celery")
    with celery_worker(folder, server.url, "rpc://", module_names.prefix):
        yield module_names.prefix


@pytest.fixture(scope="module")
def app(server: Address, prefix: str) -> Iterator[Celery]:
    with celery_client(server.url, prefix) as app:
        yield app


@contextmanager
def celery_client(url: str, prefix: str, **settings: Any) -> Iterator[Celery]:
    """An application that sends tasks. Its pooled connections are closed at the end."""
    app = create_app(url, "rpc://", prefix, **settings)
    yield app
    app.backend.result_consumer.stop()
    app.close()
    kombu.pools.reset()


def test_a_task_returns_its_result_over_rpc(app: Celery) -> None:
    assert task(app, "add").delay(2, 3).get(timeout=PATIENCE) == 5


def test_a_failed_task_raises_at_the_caller(app: Celery) -> None:
    with pytest.raises(ValueError, match="as it must"):
        task(app, "fail").delay("as it must").get(timeout=PATIENCE)


def test_a_group_of_tasks_is_worked_off(app: Celery) -> None:
    results = group(task(app, "add").s(number, number) for number in range(50)).apply_async()
    assert results.get(timeout=PATIENCE) == [2 * number for number in range(50)]


def test_a_chain_hands_results_on(app: Celery) -> None:
    add = task(app, "add")
    assert chain(add.s(1, 2), add.s(3), add.s(4)).apply_async().get(timeout=PATIENCE) == 10


def test_a_task_goes_to_the_queue_of_its_route(app: Celery, prefix: str) -> None:
    where = task(app, "where")
    by_route = where.delay().get(timeout=PATIENCE)
    assert (by_route["exchange"], by_route["routing_key"]) == ("", f"{prefix}.routed")
    by_exchange = where.apply_async(exchange=f"{prefix}.routed", routing_key="routed").get(timeout=PATIENCE)
    assert (by_exchange["exchange"], by_exchange["routing_key"]) == (f"{prefix}.routed", "routed")


def test_a_topic_exchange_brings_tasks_by_pattern(app: Celery, prefix: str) -> None:
    where = task(app, "where")
    came = where.apply_async(exchange=f"{prefix}.news", routing_key="news.today.local").get(timeout=PATIENCE)
    assert (came["exchange"], came["routing_key"]) == (f"{prefix}.news", "news.today.local")


def test_a_broadcast_task_reaches_the_worker(app: Celery, prefix: str) -> None:
    came = task(app, "where").apply_async(queue=f"{prefix}.broadcast", exchange=f"{prefix}.broadcast")
    assert came.get(timeout=PATIENCE)["exchange"] == f"{prefix}.broadcast"


def test_a_task_is_retried_until_it_succeeds(app: Celery) -> None:
    assert task(app, "flaky").delay(3).get(timeout=PATIENCE) == 3


def test_countdown_and_eta_hold_a_task_back(app: Celery) -> None:
    add = task(app, "add")
    begun = datetime.now(UTC)
    counted = add.apply_async((1, 1), countdown=0.5)
    at_time = add.apply_async((2, 2), eta=begun + timedelta(seconds=0.6))
    assert add.delay(3, 3).get(timeout=PATIENCE) == 6
    assert [counted.get(timeout=PATIENCE), at_time.get(timeout=PATIENCE)] == [2, 4]
    assert counted.date_done >= begun + timedelta(seconds=0.5)
    assert at_time.date_done >= begun + timedelta(seconds=0.6)


def test_more_delayed_tasks_than_the_prefetch_count_do_not_stop_the_worker(app: Celery) -> None:
    add = task(app, "add")
    delayed = [add.apply_async((number, 0), countdown=1.0) for number in range(30)]
    assert add.delay(1, 1).get(timeout=PATIENCE) == 2
    assert [result.get(timeout=PATIENCE) for result in delayed] == list(range(30))


def test_a_task_that_expired_is_not_run(app: Celery) -> None:
    expired = task(app, "add").apply_async((1, 1), countdown=0.3, expires=0.1)
    with pytest.raises(TaskRevokedError):
        expired.get(timeout=PATIENCE)


def test_a_rejected_task_goes_to_the_dead_letter_queue(
    app: Celery, server: Address, prefix: str, module_names: Names
) -> None:
    graveyard = Queue(module_names("graveyard"), Exchange(f"{prefix}.dead", "direct"), "dead")
    dead: list[Any] = []
    with Connection(server.url) as connection:
        graveyard(connection.default_channel).declare()
        task(app, "refuse").apply_async(queue=f"{prefix}.fragile", routing_key="fragile")
        with connection.Consumer([graveyard], on_message=dead.append, accept=["json"], no_ack=True):
            while not dead:
                connection.drain_events(timeout=PATIENCE)
    [message] = dead
    assert message.headers["task"] == "clients.refuse"
    [death] = message.headers["x-death"]
    assert (death["reason"], death["queue"]) == ("rejected", f"{prefix}.fragile")


def test_the_worker_answers_remote_control(app: Celery, prefix: str) -> None:
    [(worker, answer)] = app.control.inspect(timeout=PATIENCE, limit=1).ping().items()
    assert answer == {"ok": "pong"}
    queues = app.control.inspect([worker], timeout=PATIENCE, limit=1).active_queues()[worker]
    assert {queue["name"] for queue in queues} >= {f"{prefix}.default", f"{prefix}.routed", f"{prefix}.topic"}


def test_a_revoked_task_is_not_run(app: Celery) -> None:
    later = task(app, "add").apply_async((1, 1), countdown=0.5)
    later.revoke()
    with pytest.raises(TaskRevokedError):
        later.get(timeout=PATIENCE)


def test_events_of_the_worker_arrive_through_the_event_exchange(app: Celery) -> None:
    seen: list[dict[str, Any]] = []

    class Watcher(EventReceiver):
        def on_consume_ready(self, *context: Any, **options: Any) -> None:
            self.expected = task(app, "add").delay(20, 22).id

        def process(self, type: str, event: dict[str, Any]) -> None:
            if event.get("uuid") == self.expected:
                seen.append(event)
                self.should_stop = type == "task-succeeded"

    with app.connection_for_read() as connection:
        Watcher(connection, app=app).capture(limit=None, timeout=PATIENCE, wakeup=False)
    assert [event["type"] for event in seen] == ["task-received", "task-started", "task-succeeded"]
    assert seen[-1]["result"] == "42"


def test_celerys_native_delayed_delivery_brings_the_task_when_it_is_due(
    app: Celery, server: Address, prefix: str, names: Names
) -> None:
    names.taken += [level_name(level) for level in range(MAX_LEVEL + 1)] + ["celery_delayed_delivery"]
    topic = next(queue for queue in app.conf.task_queues if queue.name == f"{prefix}.topic")
    with Connection(server.url) as connection:
        declare_native_delayed_delivery_exchanges_and_queues(connection, "classic")
        bind_queue_to_native_delayed_delivery_exchange(connection, topic)
    # Celery chooses this way when it is told of a quorum queue; the sender tells itself so and never declares one.
    quorum = Queue("never-declared", topic.exchange, "news.delayed", queue_arguments={"x-queue-type": "quorum"})
    with celery_client(server.url, prefix, task_queues=[quorum]) as sender:
        begun = datetime.now(UTC)
        result = task(sender, "where").apply_async(queue=quorum, countdown=2)
        came = result.get(timeout=PATIENCE)
        assert came["exchange"] == level_name(0), "two seconds are spent in level 1, which hands over to level 0"
        assert result.date_done >= begun + timedelta(seconds=2)


def test_a_task_of_a_killed_worker_goes_to_the_next_one(server: Address, names: Names, tmp_path: Path) -> None:
    names.taken += entity_names(names.prefix)
    marker = tmp_path / "begun"
    worker = (tmp_path, server.url, "rpc://", names.prefix)
    with celery_client(server.url, names.prefix) as app:
        result = task(app, "second_time_lucky").delay(str(marker))
        with celery_worker(*worker) as dying:
            await_state(marker.exists)
            dying.kill()
        with celery_worker(*worker):
            assert result.get(timeout=PATIENCE) is True


def test_worker_and_client_get_over_a_restart_of_the_broker(broker: BrokerProcess, tmp_path: Path) -> None:
    retry = {"max_retries": 100, "interval_start": 0.1, "interval_step": 0.0, "interval_max": 0.1}
    with (
        celery_worker(tmp_path, broker.url, "rpc://", "restart"),
        celery_client(broker.url, "restart") as app,
    ):
        add = task(app, "add")
        assert add.delay(1, 2).get(timeout=PATIENCE) == 3
        broker.stop()
        broker.start()
        assert add.apply_async((3, 4), retry=True, retry_policy=retry).get(timeout=PATIENCE) == 7
