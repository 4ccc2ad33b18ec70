"""Sample windows, as a request asks for them."""

import httpx
import pytest

from tests.management.asking import ask, bad


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("lengths_age=5&lengths_incr=0", "Invalid range parameters: age 5, incr 0"),
        ("msg_rates_age=-5&msg_rates_incr=1", "Invalid range parameters: age -5, incr 1"),
        ("data_rates_age=5010&data_rates_incr=10", "Invalid range parameters: age 5010, incr 10"),
    ],
)
async def test_a_window_that_makes_no_sense_is_refused(client: httpx.AsyncClient, query: str, reason: str) -> None:
    for path in ("/connections", "/channels", "/exchanges/%2F/amq.direct"):
        assert await ask(client, "GET", f"{path}?{query}") == bad(reason)
    status, said = await ask(client, "GET", f"/queues?{query}")
    assert (status, said) == (400, {"error": "invalid_range_parameters", "reason": reason})


@pytest.mark.parametrize("query", ["lengths_age=60", "lengths_incr=5", "lengths_age=x&lengths_incr=5"])
async def test_half_a_window_is_none(client: httpx.AsyncClient, query: str) -> None:
    await client.put("/queues/%2F/q", json={})
    _, shown = await ask(client, "GET", f"/queues/%2F/q?{query}")
    assert shown["messages_details"] == {"rate": 0.0}


async def test_a_window_has_samples(client: httpx.AsyncClient) -> None:
    await client.put("/queues/%2F/q", json={})
    _, shown = await ask(client, "GET", "/queues/%2F/q?lengths_age=60&lengths_incr=5")
    assert len(shown["messages_details"]["samples"]) == 13
