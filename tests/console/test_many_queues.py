"""The console in front of very many queues: the broker pages, and the browser draws what is seen."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.console.driver import Console

COUNT = 10_000
MOST_NODES = 2_500


@pytest.fixture(scope="module")
def many(api: httpx.Client) -> Iterator[None]:
    """A vhost `many` with 10,000 queues, imported as a document."""
    queues = [
        {"name": f"queue-{number:05}", "durable": False, "auto_delete": False, "arguments": {}}
        for number in range(COUNT)
    ]
    assert api.put("/vhosts/many", json={}).status_code in (201, 204)
    api.put("/permissions/many/guest", json={"configure": ".*", "write": ".*", "read": ".*"})
    assert api.post("/definitions/many", json={"queues": queues}, timeout=60).status_code == 204
    yield
    assert api.delete("/vhosts/many", timeout=60).status_code == 204


def nodes(console: Console) -> int:
    count: int = console.page.evaluate("document.getElementsByTagName('*').length")
    return count


def test_ten_thousand_queues_are_paged_sorted_and_filtered_by_the_broker(console: Console, many: None) -> None:
    page = console.page
    answers: list[int] = []
    page.on("response", lambda response: answers.append(int(response.headers.get("content-length", 0))))
    console.open("queues", vhost="many")
    page.get_by_text("10,000 queues").wait_for()
    rows = page.get_by_label("Queues", exact=True).locator("tbody tr")
    assert rows.count() == 50
    assert nodes(console) < MOST_NODES
    page.get_by_role("link", name="Last page").click()
    page.get_by_role("link", name="queue-09999").wait_for()
    assert nodes(console) < MOST_NODES
    page.get_by_role("link", name="Name").click()
    page.get_by_role("link", name="queue-00000").wait_for()
    page.get_by_role("link", name="Name").click()
    page.get_by_role("link", name="queue-09999").wait_for()
    page.get_by_role("searchbox", name="Filter Queues by name").fill("queue-0777")
    page.get_by_text("10 of 10,000 queues").wait_for()
    assert max(answers) < 200_000
    page.get_by_role("link", name="queue-07777").click()
    page.get_by_role("heading", name="Queue queue-07777").wait_for()
    page.go_back()
    page.get_by_text("10 of 10,000 queues").wait_for()


def test_other_pages_stay_small_with_ten_thousand_queues(console: Console, api: httpx.Client, many: None) -> None:
    page = console.page
    console.open("overview")
    assert nodes(console) < MOST_NODES
    console.open("policies")
    console.unfold("Add a policy")
    form = console.form("Policy")
    form.get_by_label("Virtual host").select_option("many")
    form.get_by_label("Pattern").fill("^queue-")
    page.get_by_text("it is the policy of 10,000 queues").wait_for()
    assert nodes(console) < MOST_NODES


def test_an_exchange_with_very_many_bindings_is_drawn_in_part(console: Console, api: httpx.Client, many: None) -> None:
    fields = {"source": "amq.direct", "destination_type": "queue", "arguments": {}}
    bindings = [{"destination": f"queue-{each:05}", "routing_key": f"k{each}", **fields} for each in range(3_000)]
    assert api.post("/definitions/many", json={"bindings": bindings}, timeout=60).status_code == 204
    page = console.page
    console.open("exchanges", "many", "amq.direct")
    page.get_by_text("more bindings are not drawn").wait_for()
    assert nodes(console) < MOST_NODES
    form = console.form("Try a routing key")
    form.get_by_label("Routing key").fill("k2999")
    form.get_by_role("button", name="Try", exact=True).click()
    # What a key takes is drawn even if it was left out.
    page.locator("svg .chip.on", has_text="k2999").wait_for()
    assert nodes(console) < MOST_NODES
