"""The Celery application of the tests: as a module for the client, as a program for the worker.

    python -m tests.clients.celery_app BROKER_URL RESULT_BACKEND PREFIX

runs a worker whose queues and exchanges all begin with PREFIX.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

from celery import Celery, Task
from celery.exceptions import Reject
from kombu import Exchange, Queue
from kombu.common import Broadcast


def create_app(broker_url: str, backend: str, prefix: str, **settings: Any) -> Celery:
    """An application with its own tasks and queues; `settings` override what the tests need by default."""
    app = Celery("clients", broker=broker_url, backend=backend, set_as_current=False)
    news = Exchange(f"{prefix}.news", "topic")
    dead = Exchange(f"{prefix}.dead", "direct")
    app.conf.update(
        task_default_queue=f"{prefix}.default",
        task_queues=[
            Queue(f"{prefix}.default", Exchange(f"{prefix}.default", "direct"), f"{prefix}.default"),
            Queue(f"{prefix}.routed", Exchange(f"{prefix}.routed", "direct"), "routed"),
            Queue(f"{prefix}.topic", news, "news.#"),
            Queue(
                f"{prefix}.fragile",
                Exchange(f"{prefix}.fragile", "direct"),
                "fragile",
                queue_arguments={"x-dead-letter-exchange": dead.name, "x-dead-letter-routing-key": "dead"},
            ),
            Broadcast(f"{prefix}.broadcast", queue=f"{prefix}.broadcast.worker", auto_delete=True),
        ],
        task_routes={"clients.where": {"queue": f"{prefix}.routed", "routing_key": "routed"}},
        broker_connection_retry_on_startup=True,
        broker_transport_options={"confirm_publish": True},
        worker_prefetch_multiplier=1,
        result_expires=60,
        result_chord_retry_interval=0.1,
    )
    app.conf.update(settings)
    define_tasks(app)
    return app


def entity_names(prefix: str) -> list[str]:
    """The queues and exchanges that an application with this prefix declares."""
    parts = ("default", "routed", "topic", "news", "dead", "fragile", "broadcast", "broadcast.worker")
    return [f"{prefix}.{part}" for part in parts]


def define_tasks(app: Celery) -> None:
    @app.task(name="clients.add", shared=False)
    def add(x: int, y: int) -> int:
        return x + y

    @app.task(name="clients.total", shared=False)
    def total(numbers: list[int]) -> int:
        return sum(numbers)

    @app.task(name="clients.where", shared=False, bind=True)
    def where(self: Task) -> dict[str, Any]:
        """How this task came: exchange, routing key, redelivered."""
        return dict(self.request.delivery_info)

    @app.task(name="clients.fail", shared=False)
    def fail(text: str) -> None:
        raise ValueError(text)

    @app.task(name="clients.flaky", shared=False, bind=True, max_retries=5, default_retry_delay=0.05)
    def flaky(self: Task, failures: int) -> int:
        """Fails so many times; returns how often it was retried."""
        if self.request.retries < failures:
            raise self.retry(exc=RuntimeError("not yet"))
        return self.request.retries

    @app.task(name="clients.second_time_lucky", shared=False, acks_late=True, bind=True)
    def second_time_lucky(self: Task, marker: str) -> bool:
        """Hangs unless the file exists, which it creates; returns whether the message was redelivered."""
        if not Path(marker).exists():
            Path(marker).touch()
            time.sleep(3600)
        return bool(self.request.delivery_info["redelivered"])

    @app.task(name="clients.refuse", shared=False, acks_late=True)
    def refuse() -> None:
        """Handled as a poisonous message: rejected without being requeued."""
        raise Reject("poison", requeue=False)


def task(app: Celery, name: str) -> Any:
    """The application's task `clients.<name>`."""
    return app.tasks[f"clients.{name}"]


def run_worker(broker_url: str, backend: str, prefix: str) -> None:
    """A worker that answers remote control as `<prefix>@localhost` and sends events; mingles and gossips, as all do."""
    arguments = [
        "worker",
        "--pool=threads",
        "--concurrency=4",
        "--loglevel=INFO",
        f"--hostname={prefix}@localhost",
        "-E",
    ]
    create_app(broker_url, backend, prefix).worker_main(arguments)


if __name__ == "__main__":
    run_worker(*sys.argv[1:4])
