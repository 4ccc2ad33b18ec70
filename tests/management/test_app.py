"""What every request meets before it reaches a handler: paths, methods, credentials, sizes."""

import base64

import httpx
import pytest
from starlette.types import ASGIApp

from amq.broker import Broker
from tests.management.conftest import client_of

CHALLENGE = 'Basic realm="RabbitMQ Management"'


async def test_a_user_learns_who_it_is(client: httpx.AsyncClient) -> None:
    answer = await client.get("/whoami")
    assert answer.status_code == 200
    assert answer.json() == {"name": "guest", "tags": ["administrator"]}
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-cache"


async def test_a_slash_at_the_end_does_not_count(client: httpx.AsyncClient) -> None:
    assert (await client.get("/whoami/")).status_code == 200


async def test_columns_are_picked_from_single_objects_too(client: httpx.AsyncClient) -> None:
    assert (await client.get("/whoami?columns=name,nope")).json() == {"name": "guest"}


async def test_without_credentials_there_is_a_challenge_and_no_body(app: ASGIApp) -> None:
    async with client_of(app, None) as client:
        answer = await client.get("/whoami")
    assert (answer.status_code, answer.content) == (401, b"")
    assert answer.headers["www-authenticate"] == CHALLENGE


@pytest.mark.parametrize(
    "header",
    [
        "Basic " + base64.b64encode(b"guest:wrong").decode(),
        "Basic " + base64.b64encode(b"nobody:guest").decode(),
        "Basic " + base64.b64encode(b"guest").decode(),
        "Basic not-base64!",
        "Basic",
        "Bearer abc",
        "",
    ],
)
async def test_wrong_credentials_are_refused_all_in_one_way(app: ASGIApp, header: str) -> None:
    async with client_of(app, None) as client:
        answer = await client.get("/whoami", headers={"authorization": header})
    assert answer.status_code == 401
    assert answer.json() == {"error": "not_authorized", "reason": "Login failed"}
    assert answer.headers["www-authenticate"] == CHALLENGE


async def test_a_user_without_a_tag_may_not_use_the_api(app: ASGIApp, broker: Broker) -> None:
    broker.users.add("plain", "secret", tags=["impersonator"])
    async with client_of(app, ("plain", "secret")) as client:
        answer = await client.get("/whoami")
    assert answer.status_code == 401
    assert answer.json() == {"error": "not_authorised", "reason": "Not management user"}


async def test_what_is_not_there_is_not_found_without_asking_who_asks(app: ASGIApp) -> None:
    async with client_of(app, None) as client:
        answer = await client.get("/nothing/of/the/kind")
    assert answer.status_code == 404
    assert answer.json() == {"error": "Object Not Found", "reason": "Not Found"}


async def test_a_method_that_is_not_allowed_is_told_which_are(app: ASGIApp) -> None:
    async with client_of(app, None) as client:
        answer = await client.post("/whoami")
    assert (answer.status_code, answer.content) == (405, b"")
    assert answer.headers["allow"] == "HEAD, GET, OPTIONS"


async def test_options_need_no_credentials(app: ASGIApp) -> None:
    async with client_of(app, None) as client:
        answer = await client.options("/whoami")
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["allow"] == "HEAD, GET, OPTIONS"
