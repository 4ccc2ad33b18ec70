"""Names, headers, bodies, keys and descriptions that would be markup if anybody took them for it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import httpx
import pika
import pytest

from tests.console.driver import Console
from tests.harness.process import BrokerProcess

EVIL = """<img src=x onerror="window.ran=1"><script>window.ran=1</script>'"`--><svg/onload=window.ran=1>{{1+1}}"""
LINK = "javascript:window.ran=1//"


def name(text: str) -> str:
    return quote(text, safe="")


@pytest.fixture
def hostile(api: httpx.Client, broker_process: BrokerProcess) -> Any:
    """A vhost, user, exchange, queue, policy, binding, message and client with such names."""

    def put(path: str, body: dict[str, Any]) -> None:
        answer = api.put(path, json=body)
        assert answer.status_code in (201, 204), (path, answer.text)

    vhost = name(EVIL)
    put(f"/vhosts/{vhost}", {"description": EVIL, "tags": EVIL})
    put(f"/permissions/{vhost}/guest", {"configure": ".*", "write": ".*", "read": ".*"})
    put(f"/users/{name(EVIL)}", {"password": "x", "tags": EVIL})
    put(f"/permissions/{vhost}/{name(EVIL)}", {"configure": "", "write": "<b>", "read": ".*"})
    for one in (EVIL, LINK):
        put(f"/queues/{vhost}/{name(one)}", {"arguments": {EVIL: EVIL}})
        put(f"/exchanges/{vhost}/{name(one)}", {"type": "headers", "arguments": {EVIL: LINK}})
        body = {"routing_key": EVIL, "arguments": {EVIL: EVIL}}
        assert api.post(f"/bindings/{vhost}/e/{name(one)}/q/{name(one)}", json=body).status_code == 201
    put(f"/policies/{vhost}/{name(EVIL)}", {"pattern": ".*", "definition": {"dead-letter-exchange": EVIL}})
    put(f"/vhost-limits/{vhost}/max-queues", {"value": 9})
    put(f"/global-parameters/{name(EVIL)}", {"value": {EVIL: EVIL}})
    parameters = pika.ConnectionParameters(
        "127.0.0.1",
        broker_process.port,
        EVIL,
        client_properties={"connection_name": EVIL, "product": EVIL, EVIL: EVIL},
    )
    connection = pika.BlockingConnection(parameters)
    channel = connection.channel()
    properties = pika.BasicProperties(
        content_type=EVIL,
        message_id=EVIL,
        correlation_id=LINK,
        type=EVIL,
        app_id=EVIL,
        headers={EVIL: EVIL, "l": [EVIL]},
    )
    for body in (EVIL, json.dumps({EVIL: EVIL}), LINK):
        channel.basic_publish("", EVIL, body.encode(), properties)
    channel.basic_consume(LINK, lambda *_: None, consumer_tag=EVIL)
    connection.process_data_events(0.3)
    yield connection
    connection.close()
    api.delete(f"/vhosts/{vhost}")
    api.delete(f"/users/{name(EVIL)}")
    api.delete(f"/global-parameters/{name(EVIL)}")


def check(console: Console) -> None:
    """Nothing ran, nothing of it became an element, and nobody tried to break the policy."""
    page = console.page
    assert page.evaluate("window.ran") is None
    assert console.breaches() == []
    assert page.locator("img, iframe, object, embed, body script, [onerror], [onload], [style*=url]").count() == 0
    links = page.locator("a[href]").evaluate_all("(all) => all.map((node) => node.getAttribute('href'))")
    assert all(link.startswith(("#", "blob:", "api/")) for link in links)


def test_nothing_runs_on_any_page(console: Console, hostile: pika.BlockingConnection) -> None:
    page = console.page
    addresses: list[tuple[tuple[str, ...], dict[str, str]]] = [
        (("overview",), {}),
        (("queues",), {}),
        (("queues",), {"vhost": EVIL, "q": EVIL}),
        (("queues", EVIL, EVIL), {}),
        (("queues", EVIL, EVIL), {"tab": "messages"}),
        (("queues", EVIL, EVIL), {"tab": "messages", "selector": f"headers.x = '{LINK}'"}),
        (("queues", EVIL, EVIL), {"tab": "messages", "selector": EVIL}),
        (("queues", EVIL, EVIL), {"tab": "bindings"}),
        (("queues", EVIL, EVIL), {"tab": EVIL}),
        (("queues", EVIL, LINK), {}),
        (("exchanges",), {"vhost": EVIL}),
        (("exchanges", EVIL, EVIL), {}),
        (("exchanges", EVIL, LINK), {}),
        (("connections",), {}),
        (("channels",), {}),
        (("policies",), {}),
        (("limits",), {}),
        (("parameters",), {}),
        (("users",), {}),
        (("users", EVIL), {}),
        (("vhosts",), {}),
        (("logs",), {"q": EVIL}),
        (("top",), {"tab": EVIL}),
        ((EVIL, EVIL), {EVIL: EVIL}),
        (("queues", EVIL, EVIL + "not there"), {}),
    ]
    for parts, query in addresses:
        console.open(*parts, **query)
        page.evaluate("document.querySelectorAll('details').forEach((details) => (details.open = true))")
        check(console)
    console.open("queues", EVIL, EVIL)
    assert page.get_by_role("heading", level=1).inner_text() == f"Queue {EVIL}"
    console.open("connections")
    page.get_by_label("Connections", exact=True).locator("tbody a").first.click()
    page.get_by_role("heading", name="What the client says of itself").wait_for()
    check(console)


def test_nothing_runs_in_what_is_opened_asked_or_said(console: Console, hostile: pika.BlockingConnection) -> None:
    page = console.page
    console.open("queues", EVIL, EVIL, tab="messages")
    page.get_by_role("button", name="Message at position 0").click()
    page.locator("pre", has_text="onerror").wait_for()
    check(console)
    page.get_by_role("button", name="Delete it…").click()
    assert EVIL in page.get_by_role("dialog").inner_text()
    check(console)
    page.keyboard.press("Escape")
    console.unfold("Get messages as a client does")
    console.form("Get messages").get_by_role("button", name="Get").click()
    page.get_by_role("article", name="Message 1").wait_for()
    check(console)
    console.unfold("Delivered, not acknowledged yet")
    page.get_by_role("button", name="Show who holds them").click()
    page.get_by_label("Not acknowledged").wait_for()
    check(console)
    page.get_by_role("button", name="Purge").click()
    console.confirm("Purge 3 messages")
    console.said(f"{EVIL} was purged.")
    check(console)
    console.open("exchanges", EVIL, EVIL)
    form = console.form("Try a routing key")
    form.get_by_label("Routing key").fill(EVIL)
    form.get_by_role("button", name="Add", exact=True).click()
    form.get_by_label("Name", exact=True).fill(EVIL)
    form.get_by_label("Value of", exact=False).fill(EVIL)
    form.get_by_role("button", name="Try", exact=True).click()
    page.get_by_text("reaches 1 queue").wait_for()
    check(console)
    console.open("policies")
    page.get_by_role("button", name="Change").first.click()
    form = console.form("Policy")
    form.get_by_label("Pattern").fill(".")
    page.get_by_text("it is the policy of").wait_for()
    check(console)
    console.open("users", EVIL)
    page.get_by_role("button", name="Delete").click()
    assert EVIL in page.get_by_role("dialog").inner_text()
    check(console)


def test_definitions_with_markup_are_imported_without_running(
    console: Console, api: httpx.Client, tmp_path: Any
) -> None:
    file = tmp_path / "evil<b>.json"
    file.write_text(json.dumps({"vhosts": [{"name": EVIL}], EVIL: EVIL, "policies": [{"vhost": "/", "name": EVIL}]}))
    console.open("definitions")
    console.page.get_by_label("File").set_input_files(file)
    console.form("Import definitions").get_by_role("button", name="Import…").click()
    console.form("Import definitions").get_by_role("alert").or_(console.page.get_by_role("dialog")).first.wait_for()
    check(console)


def test_the_browser_itself_refuses_markup_scripts_and_other_origins(open_console: Callable[..., Console]) -> None:
    # A second lock, in case that the console ever forgets the first.
    console = open_console(watched=False)
    page = console.page
    console.open("overview")
    refused = page.evaluate(
        """async () => {
          const tried = {
            markup: () => { document.body.insertAdjacentHTML("beforeend", "<b>x</b>"); },
            script: () => { document.createElement("script").text = "window.ran = 1"; },
            elsewhere: () => fetch("http://127.0.0.1:9/").then(() => { throw new Error("it was sent"); }),
          };
          const refused = [];
          for (const [name, attempt] of Object.entries(tried)) {
            try { await attempt(); } catch (error) { if (error.message !== "it was sent") refused.push(name); }
          }
          return refused;
        }"""
    )
    assert refused == ["markup", "script", "elsewhere"]
    assert len(console.breaches()) >= 3


def test_no_page_can_be_framed_or_read_by_another_origin(broker_process: BrokerProcess) -> None:
    headers = httpx.get(f"http://127.0.0.1:{broker_process.http_port}/").headers
    policy = headers["content-security-policy"]
    assert "frame-ancestors 'none'" in policy
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cross-origin-resource-policy"] == "same-origin"


def test_a_stolen_form_cannot_act_in_the_name_of_who_is_signed_in(open_console: Callable[..., Console]) -> None:
    console = open_console()
    cookies = {cookie["name"]: cookie["value"] for cookie in console.page.context.cookies()}
    # As another site could make the browser send it: with the cookie, without the header.
    answer = httpx.put(f"{console.base}/api/queues/%2F/forged", json={}, cookies=cookies)
    assert answer.status_code == 401
