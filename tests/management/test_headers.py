"""What browsers are told, and what they are not believed."""

import time

import attrs
import httpx
import pytest
from starlette.types import ASGIApp

from amq.broker import Broker
from amq.config.settings import Settings
from amq.config.web import ManagementSettings
from amq.management.app import application
from tests.management.conftest import client_of, new_node

HERE = "http://127.0.0.1"
THERE = "https://console.example.com"
VHOST = "/vhosts/new"


def app_with(**settings: object) -> ASGIApp:
    """An application with these settings under `management`."""
    management = attrs.evolve(ManagementSettings(), **settings)
    return application(new_node(Broker(Settings(management=management), time.monotonic(), time.time())))


async def ask(app: ASGIApp, method: str, path: str, **headers: str) -> httpx.Response:
    async with client_of(app) as client:
        return await client.request(method, path, headers={name.replace("_", "-"): headers[name] for name in headers})


@pytest.mark.parametrize("path", ["/whoami", "/nothing", "/vhosts/nothing", "/openapi.json", ""])
async def test_every_answer_tells_browsers_to_be_careful(app: ASGIApp, path: str) -> None:
    headers = (await ask(app, "GET", path)).headers
    assert headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["vary"] == "origin"
    assert "strict-transport-security" not in headers
    assert "access-control-allow-origin" not in headers


async def test_policies_can_be_chosen() -> None:
    app = app_with(hsts_policy="max-age=5", csp_policy="default-src 'self'")
    for path in ("/whoami", "/../"):
        headers = (await ask(app, "GET", path)).headers
        assert headers["strict-transport-security"] == "max-age=5"
        assert headers["content-security-policy"] == "default-src 'self'"


async def test_no_page_of_another_origin_may_read_answers_unless_it_is_allowed() -> None:
    app = app_with(cors_allow_origins=(THERE,), cors_max_age=60)
    assert (
        "access-control-allow-origin" not in (await ask(app, "GET", "/whoami", origin="https://evil.example")).headers
    )
    headers = (await ask(app, "GET", "/whoami", origin=THERE)).headers
    assert headers["access-control-allow-origin"] == THERE
    assert headers["access-control-allow-credentials"] == "true"
    assert "access-control-allow-methods" not in headers


async def test_a_preflight_is_told_methods_and_headers() -> None:
    app = app_with(cors_allow_origins=(THERE,), cors_max_age=60)
    headers = (await ask(app, "OPTIONS", "/vhosts/x", origin=THERE)).headers
    assert headers["access-control-allow-methods"] == "HEAD, GET, PUT, DELETE, OPTIONS"
    assert "authorization" in headers["access-control-allow-headers"]
    assert headers["access-control-max-age"] == "60"


async def test_whoever_allows_every_origin_does_not_lend_remembered_passwords() -> None:
    headers = (await ask(app_with(cors_allow_origins=("*",)), "GET", "/whoami", origin="https://any.example")).headers
    assert headers["access-control-allow-origin"] == "https://any.example"
    assert "access-control-allow-credentials" not in headers


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://["},
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site"},
        {"sec_fetch_site": "cross-site", "origin": HERE},
    ],
)
async def test_what_a_page_elsewhere_makes_a_browser_send_changes_nothing(
    app: ASGIApp, broker: Broker, headers: dict[str, str]
) -> None:
    answer = await ask(app, "PUT", VHOST, **headers)
    assert answer.status_code == 401
    assert "another origin" in answer.json()["reason"]
    assert "new" not in broker.vhosts


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": HERE},
        {"sec_fetch_site": "same-origin", "origin": "https://proxy.example"},
        {"sec_fetch_site": "none"},
    ],
)
async def test_the_consoles_own_pages_and_programs_may_change_things(app: ASGIApp, headers: dict[str, str]) -> None:
    assert (await ask(app, "PUT", VHOST, **headers)).status_code == 201


@pytest.mark.parametrize("kind", ["text/plain", "text/plain; charset=utf-8", "application/x-www-form-urlencoded", ""])
async def test_whoever_allows_every_origin_does_not_let_forms_use_remembered_passwords(kind: str) -> None:
    app = app_with(cors_allow_origins=("*",))
    publish = "/exchanges/%2F/amq.direct/publish"
    answer = await ask(app, "POST", publish, origin="https://evil.example", content_type=kind)
    assert (answer.status_code, "another origin" in answer.json()["reason"]) == (401, True)
    # Browsers ask before they send any of these, and are told that there are no credentials for it.
    for headers in ({"content_type": "application/json"}, {"content_type": kind, "x_requested_with": "x"}):
        assert (await ask(app, "POST", publish, origin="https://any.example", **headers)).status_code == 400
    assert (await ask(app, "PUT", VHOST, origin="https://any.example", content_type=kind)).status_code == 201


async def test_a_page_of_an_allowed_origin_may_change_things() -> None:
    app = app_with(cors_allow_origins=(THERE,))
    assert (await ask(app, "PUT", VHOST, origin=THERE, sec_fetch_site="cross-site")).status_code == 201


@pytest.mark.parametrize("accept", ["*/*", "application/json", "text/html, application/*;q=0.5", "text/html,*/*;q=0.1"])
async def test_whoever_takes_json_gets_it(app: ASGIApp, accept: str) -> None:
    assert (await ask(app, "GET", "/whoami", accept=accept)).status_code == 200


async def test_whoever_takes_no_json_gets_nothing(app: ASGIApp) -> None:
    assert (await ask(app, "GET", "/whoami", accept="text/html")).status_code == 406


@pytest.mark.parametrize("method", ["PATCH", "TRACE", "QUERY", "FOO"])
async def test_a_method_that_nobody_knows_is_not_allowed(app: ASGIApp, method: str) -> None:
    answer = await ask(app, method, "/whoami")
    assert (answer.status_code, answer.headers["allow"]) == (405, "HEAD, GET, OPTIONS")


async def test_the_api_itself_leads_to_its_description(app: ASGIApp) -> None:
    answer = await ask(app, "GET", "")
    assert (answer.status_code, answer.headers["location"]) == (301, "/api/openapi.json")
