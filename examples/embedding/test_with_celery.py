"""Testing a Celery application with a real worker and a real broker, both inside the test process."""

import celery
import pytest
from celery.contrib.testing.worker import start_worker


def kitchen_at(url):
    """The program under test."""
    app = celery.Celery("kitchen", broker=url, backend="rpc://", set_as_current=False)
    # An idle worker sleeps until its next heartbeat; the tests want it to stop soon.
    app.conf.broker_heartbeat = 1

    @app.task(name="cook", shared=False)
    def cook(dish):
        return f"hot {dish}"

    @app.task(name="deliver", shared=False, bind=True, max_retries=3, default_retry_delay=0.05)
    def deliver(self, dish):
        if self.request.retries < 2:
            raise self.retry(exc=ConnectionError("nobody opens the door"))
        return f"{dish} at the third attempt"

    return app


@pytest.fixture
def kitchen(amq_broker):
    app = kitchen_at(amq_broker.url)
    with start_worker(app, perform_ping_check=False, shutdown_timeout=20):
        yield app
    app.close()


def test_a_task_runs_in_the_worker(kitchen):
    assert kitchen.tasks["cook"].delay("soup").get(timeout=20) == "hot soup"


def test_a_task_is_retried(kitchen):
    assert kitchen.tasks["deliver"].delay("soup").get(timeout=20) == "soup at the third attempt"


def test_tasks_can_wait_for_a_worker(amq_broker):
    app = kitchen_at(amq_broker.url)
    results = [app.tasks["cook"].delay(dish) for dish in ("soup", "rice", "fish")]
    with start_worker(app, perform_ping_check=False, shutdown_timeout=20):
        assert [result.get(timeout=20) for result in results] == ["hot soup", "hot rice", "hot fish"]
    app.close()
