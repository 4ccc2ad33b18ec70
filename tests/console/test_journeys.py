"""What an operator does in the console, from beginning to end."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pika
import pytest

from tests.console.driver import Console
from tests.harness.process import BrokerProcess, free_port


def declare(api: httpx.Client, *names: str, vhost: str = "%2F", **body: Any) -> None:
    for name in names:
        assert api.put(f"/queues/{vhost}/{name}", json=body).status_code in (201, 204)


def publish(api: httpx.Client, key: str, *bodies: str, exchange: str = "amq.default", **properties: Any) -> None:
    for body in bodies:
        message = {"properties": properties, "routing_key": key, "payload": body, "payload_encoding": "string"}
        assert api.post(f"/exchanges/%2F/{exchange}/publish", json=message).json() == {"routed": True}


def ready(api: httpx.Client, name: str) -> int:
    count: int = api.get(f"/amq/queues/%2F/{name}/messages?limit=1").json()["messages_ready"]
    return count


# -- who is there --


def test_signing_in_and_out(open_console: Callable[..., Console]) -> None:
    console = open_console(None)
    page = console.page
    page.goto(console.base + "/#/queues?sort=name")
    page.get_by_label("User name").fill("guest")
    page.get_by_label("Password").fill("wrong")
    page.keyboard.press("Enter")
    page.get_by_role("alert").filter(has_text="Name or password is wrong").wait_for()
    page.get_by_label("Password").fill("guest")
    page.keyboard.press("Enter")
    # Where the reader wanted to go from the start.
    page.get_by_role("heading", name="Queues", level=1).wait_for()
    cookies = page.context.cookies()
    assert cookies and all(cookie["httpOnly"] and cookie["sameSite"] == "Strict" for cookie in cookies)
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("heading", name="Sign in").wait_for()
    page.reload()
    page.get_by_role("heading", name="Sign in").wait_for()


def test_a_user_sees_the_pages_that_its_tags_allow(open_console: Callable[..., Console], api: httpx.Client) -> None:
    api.put("/users/reader", json={"password": "secret", "tags": "management"})
    api.put("/permissions/%2F/reader", json={"configure": "", "write": "", "read": ".*"})
    page = open_console("reader", "secret").page
    links = page.get_by_role("navigation", name="Pages", exact=True).get_by_role("link").all_inner_texts()
    assert "Queues" in links
    assert not {"Users", "Logs", "Definitions", "Parameters"} & set(links)
    page.get_by_role("heading", name="Overview", level=1).wait_for()
    api.delete("/users/reader")


@pytest.mark.parametrize("tag", ["management", "policymaker", "monitoring"])
def test_no_page_that_is_offered_is_refused(open_console: Callable[..., Console], api: httpx.Client, tag: str) -> None:
    api.put(f"/users/{tag}", json={"password": "secret", "tags": tag})
    api.put(f"/permissions/%2F/{tag}", json={"configure": "", "write": "", "read": ".*"})
    console = open_console(tag, "secret")
    page = console.page
    links = page.get_by_role("navigation", name="Pages", exact=True).get_by_role("link")
    for name in links.all_inner_texts():
        links.get_by_text(name, exact=True).click()
        page.get_by_role("heading", name=name, level=1, exact=True).wait_for()
        console.ready()
        assert page.get_by_role("alert").count() == 0, (name, page.get_by_role("alert").all_inner_texts())
    api.delete(f"/users/{tag}")


def test_a_refusal_is_told_in_the_words_of_the_broker(open_console: Callable[..., Console], api: httpx.Client) -> None:
    api.put("/users/reader", json={"password": "secret", "tags": "management"})
    api.put("/permissions/%2F/reader", json={"configure": "^mine", "write": "", "read": ".*"})
    console = open_console("reader", "secret")
    console.open("queues")
    console.unfold("Add a queue")
    form = console.form("Add a queue")
    form.get_by_label("Name", exact=True).fill("yours")
    form.get_by_role("button", name="Add queue").click()
    form.get_by_role("alert").filter(has_text="Access refused").wait_for()
    assert form.get_by_label("Name", exact=True).input_value() == "yours"
    api.delete("/users/reader")


def test_an_address_that_means_nothing_says_so(console: Console) -> None:
    console.open("nowhere", "at", "all")
    console.page.get_by_role("heading", name="No such page").wait_for()
    console.open("queues", "/", "is not there")
    console.page.get_by_role("alert").filter(has_text="It does not exist (any more).").wait_for()


# -- queues --


def test_a_queue_is_declared_with_arguments_and_deleted_with_a_question(console: Console, api: httpx.Client) -> None:
    page = console.page
    console.open("queues")
    console.unfold("Add a queue")
    form = console.form("Add a queue")
    form.get_by_label("Name", exact=True).fill("journey a/b ü")
    form.get_by_role("button", name="x-max-length", exact=True).click()
    form.get_by_label("Value of x-max-length").fill("7")
    form.get_by_role("button", name="Add", exact=True).click()
    form.get_by_label("Name", exact=True).last.fill("x-extra")
    form.get_by_label("Value of", exact=False).last.fill("[1, 2]")
    form.get_by_label("Type of", exact=False).last.select_option("json")
    form.get_by_role("button", name="Add queue").click()
    console.said("Queue journey a/b ü is there.")
    name = "journey%20a%2Fb%20%C3%BC"
    assert api.get(f"/queues/%2F/{name}").json()["arguments"] == {"x-max-length": 7, "x-extra": [1, 2]}
    publish(api, "journey a/b ü", "one", "two")
    page.get_by_label("Queues", exact=True).get_by_role("link", name="journey a/b ü").click()
    page.get_by_role("heading", name="Queue journey a/b ü").wait_for()
    page.get_by_text("x-max-length").first.wait_for()
    page.get_by_role("button", name="Delete").click()
    assert "2 messages would be lost for good" in console.confirm("Delete")
    page.get_by_role("heading", name="Queues", level=1).wait_for()
    assert api.get(f"/queues/%2F/{name}").status_code == 404


def test_a_question_can_be_answered_with_no(console: Console, api: httpx.Client) -> None:
    declare(api, "stays")
    console.open("queues", "/", "stays")
    button = console.page.get_by_role("button", name="Delete")
    button.click()
    console.page.get_by_role("dialog").wait_for()
    console.page.keyboard.press("Escape")
    console.page.get_by_role("dialog").wait_for(state="detached")
    assert button.evaluate("(node) => node === document.activeElement")
    assert api.get("/queues/%2F/stays").status_code == 200


def test_queues_are_filtered_and_sorted_by_address(console: Console, api: httpx.Client) -> None:
    declare(api, "sort-a", "sort-b", "sort-c")
    publish(api, "sort-b", "x", "y")
    page = console.page
    console.open("queues", q="sort-")
    rows = page.get_by_label("Queues", exact=True).locator("tbody th a")
    page.get_by_text("3 of").wait_for()
    assert rows.all_inner_texts() == ["sort-a", "sort-b", "sort-c"]
    page.get_by_role("link", name="Ready").click()
    page.locator("th[aria-sort=descending]").wait_for()
    page.locator("tbody tr").first.get_by_role("link", name="sort-b").wait_for()
    assert "sort=messages_ready" in page.url
    page.get_by_role("searchbox", name="Filter Queues by name").fill("sort-[ac]")
    page.get_by_text("No queue matches").wait_for()
    page.get_by_label("Regex").check()
    page.get_by_text("2 of").wait_for()
    page.reload()
    page.get_by_text("2 of").wait_for()
    assert sorted(rows.all_inner_texts()) == ["sort-a", "sort-c"]


def test_a_purge_says_how_many_messages_go(console: Console, api: httpx.Client) -> None:
    declare(api, "purged")
    publish(api, "purged", "1", "2", "3")
    console.open("queues", "/", "purged")
    console.page.get_by_role("button", name="Purge").click()
    assert "3 messages that wait in purged would be lost for good." in console.confirm("Purge 3 messages")
    console.said("purged was purged.")
    assert ready(api, "purged") == 0


def test_a_message_is_published_and_got(console: Console, api: httpx.Client) -> None:
    declare(api, "letters")
    page = console.page
    console.open("queues", "/", "letters", tab="publish")
    form = console.form("Publish a message")
    form.get_by_label("Body", exact=True).fill('{"hello": "wörld"}')
    form.get_by_role("button", name="Add", exact=True).click()
    form.get_by_label("Name", exact=True).fill("tenant")
    form.get_by_label("Value of", exact=False).fill("acme")
    form.get_by_text("More properties").click()
    form.get_by_label("Message id").fill("m-1")
    form.get_by_role("button", name="Publish", exact=True).click()
    console.said("The message was published.")
    console.open("queues", "/", "letters", tab="messages")
    console.unfold("Get messages as a client does")
    form = console.form("Get messages")
    form.get_by_label("What becomes of them").select_option("ack_requeue_false")
    form.get_by_role("button", name="Get").click()
    message = page.get_by_role("article", name="Message 1")
    assert '"hello": "wörld"' in message.inner_text()
    assert "m-1" in message.inner_text()
    assert ready(api, "letters") == 0


def test_a_queue_is_bound_and_unbound(console: Console, api: httpx.Client) -> None:
    declare(api, "bound")
    console.open("queues", "/", "bound", tab="bindings")
    console.unfold("Bind to an exchange")
    form = console.form("Add a binding")
    form.get_by_label("Exchange").fill("amq.topic")
    form.get_by_label("Routing key").fill("a.#")
    form.get_by_role("button", name="Bind").click()
    console.said("The binding is there.")
    console.page.get_by_role("button", name="Unbind bound from amq.topic").click()
    console.confirm("Unbind")
    console.said("The binding is gone.")
    assert [one["source"] for one in api.get("/queues/%2F/bound/bindings").json()] == [""]


# -- messages --


def test_messages_are_searched_read_and_deleted_without_being_taken(console: Console, api: httpx.Client) -> None:
    declare(api, "searched")
    publish(api, "searched", *[json.dumps({"n": n}) for n in range(5)], headers={"tenant": "acme"})
    publish(api, "searched", "refund please", headers={"tenant": "other"}, message_id="m-9")
    page = console.page
    console.open("queues", "/", "searched", tab="messages")
    page.get_by_text("6 messages, as of").wait_for()
    box = page.get_by_role("searchbox", name="Messages that match")
    box.fill("headers.tenant = 'other' and body like '%refund%'")
    box.press("Enter")
    page.get_by_text("1 match in 6 messages looked at").wait_for()
    row = page.get_by_role("button", name="Message at position")
    row.click()
    page.locator("tbody tr:nth-child(2) pre", has_text="refund please").wait_for()
    page.get_by_role("button", name="Delete it…").click()
    assert "would be lost for good" in console.confirm("Delete 1 message")
    console.said("The message is gone.")
    page.get_by_text("0 matches in 5 messages looked at").wait_for()
    assert ready(api, "searched") == 5
    found = api.get("/amq/queues/%2F/searched/messages").json()["messages"]
    assert not any(message["redelivered"] for message in found)
    # A mistake in a search is told where it is.
    box.fill("headers.tenant = ")
    box.press("Enter")
    page.get_by_role("alert").filter(has_text="selector").wait_for()


def test_a_body_of_json_is_laid_out_and_nothing_in_it_is_changed(console: Console, api: httpx.Client) -> None:
    declare(api, "exact")
    publish(api, "exact", '{"n":12345678901234567890,"one":1.0,"none":[],"text":"a, [b]","list":[1,{"deep":true}]}')
    console.open("queues", "/", "exact", tab="messages")
    console.page.get_by_role("button", name="Message at position").click()
    body = console.page.get_by_label("Body", exact=True).and_(console.page.locator("pre"))
    assert body.inner_text().split("\n") == [
        "{",
        '  "n": 12345678901234567890,',
        '  "one": 1.0,',
        '  "none": [],',
        '  "text": "a, [b]",',
        '  "list": [',
        "    1,",
        "    {",
        '      "deep": true',
        "    }",
        "  ]",
        "}",
    ]


def test_matching_messages_are_deleted_after_their_number_is_told(console: Console, api: httpx.Client) -> None:
    declare(api, "weeded")
    publish(api, "weeded", "a", "b", headers={"bad": True})
    publish(api, "weeded", "c")
    console.open("queues", "/", "weeded", tab="messages", selector="headers.bad = true")
    console.unfold("Delete what matches")
    console.form("Delete matching messages").get_by_role("button", name="Delete…").click()
    assert "2 messages that match would be lost for good" in console.confirm("Delete 2 messages")
    console.said("2 messages deleted.")
    assert ready(api, "weeded") == 1


def test_messages_are_moved_after_a_dry_run(console: Console, api: httpx.Client) -> None:
    declare(api, "from-here", "to-there")
    publish(api, "from-here", "1", "2", "3")
    page = console.page
    console.open("queues", "/", "from-here", tab="messages")
    console.unfold("Move messages")
    form = console.form("Move messages")
    form.get_by_label("Its name").fill("to-there")
    form.get_by_label("At most").fill("2")
    form.get_by_role("button", name="Show what would happen").click()
    page.get_by_text("2 messages would go").wait_for()
    assert (ready(api, "from-here"), ready(api, "to-there")) == (3, 0)
    page.get_by_role("button", name="Move 2 messages").click()
    assert "leave from-here" in console.confirm("Move 2 messages")
    page.get_by_text("2 messages went").wait_for()
    assert (ready(api, "from-here"), ready(api, "to-there")) == (1, 2)


def test_one_message_is_moved_by_itself(console: Console, api: httpx.Client) -> None:
    declare(api, "three", "elsewhere")
    publish(api, "three", "first", "second", "third")
    page = console.page
    console.open("queues", "/", "three", tab="messages")
    page.get_by_role("button", name="Message at position").nth(1).click()
    page.get_by_role("button", name="Move it…").click()
    page.get_by_role("dialog").get_by_label("To the queue").fill("not there")
    console.confirm("Move 1 message")
    page.get_by_role("alert").filter(has_text="no queue 'not there'").wait_for()
    page.get_by_role("button", name="Message at position").nth(1).click()
    page.get_by_role("button", name="Move it…").click()
    page.get_by_role("dialog").get_by_label("To the queue").fill("elsewhere")
    console.confirm("Move 1 message")
    console.said("The message is in elsewhere now.")
    left = api.get("/amq/queues/%2F/three/messages").json()["messages"]
    assert [message["payload"] for message in left] == ["first", "third"]
    assert ready(api, "elsewhere") == 1


def test_dead_letters_go_back_to_where_they_died(console: Console, api: httpx.Client) -> None:
    declare(api, "graves")
    dead = {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": "graves"}
    declare(api, "alive", arguments=dead)
    publish(api, "alive", "1", "2")
    body = {"count": 2, "ackmode": "reject_requeue_false", "encoding": "auto"}
    assert len(api.post("/queues/%2F/alive/get", json=body).json()) == 2
    page = console.page
    console.open("queues", "/", "graves", tab="messages")
    page.get_by_text("dead letter", exact=True).first.wait_for()
    console.unfold("Replay dead letters")
    console.form("Replay dead letters").get_by_role("button", name="Show what would happen").click()
    page.get_by_text("2 messages would go").wait_for()
    page.get_by_role("button", name="Replay 2 messages").click()
    console.confirm("Replay 2 messages")
    console.said("2 messages were replayed.")
    assert (ready(api, "graves"), ready(api, "alive")) == (0, 2)


# -- exchanges --


def test_an_exchange_is_declared_bound_tried_and_deleted(console: Console, api: httpx.Client) -> None:
    declare(api, "eu", "rest-queue")
    api.put("/exchanges/%2F/rest", json={"type": "fanout"})
    api.post("/bindings/%2F/e/rest/q/rest-queue", json={})
    page = console.page
    console.open("exchanges")
    console.unfold("Add an exchange")
    form = console.form("Add an exchange")
    form.get_by_label("Name", exact=True).fill("shop")
    form.get_by_label("Type", exact=True).select_option("topic")
    form.get_by_role("button", name="alternate-exchange").click()
    form.get_by_label("Value of alternate-exchange").fill("rest")
    form.get_by_role("button", name="Add exchange").click()
    console.said("Exchange shop is there.")
    console.open("exchanges", "/", "shop")
    console.unfold("Bind a queue or an exchange")
    form = console.form("Add a binding")
    form.get_by_label("Its name").fill("eu")
    form.get_by_label("Routing key").fill("*.eu.#")
    form.get_by_role("button", name="Bind").click()
    console.said("The binding is there.")
    form = console.form("Try a routing key")
    form.get_by_label("Routing key").fill("order.eu.de")
    form.get_by_role("button", name="Try", exact=True).click()
    page.get_by_text("reaches 1 queue").wait_for()
    page.locator(".hops", has_text="the pattern “*.eu.#” matches: * stands for “order”, # stands for “de”").wait_for()
    lit = page.locator("svg .chip.on, svg .node.on")
    assert [text.split("\n")[0] for text in lit.locator("text:first-of-type").all_text_contents()] == [
        "*.eu.#",
        "shop",
        "eu",
    ]
    form.get_by_label("Routing key").fill("order.us")
    form.get_by_role("button", name="Try", exact=True).click()
    page.locator("ol.hops", has_text="nothing matched in “shop”").wait_for()
    assert ready(api, "eu") == 0
    page.get_by_role("button", name="Delete").click()
    assert "its 1 binding" in console.confirm("Delete")
    page.get_by_role("heading", name="Exchanges", level=1).wait_for()
    assert api.get("/exchanges/%2F/shop").status_code == 404


def test_headers_are_tried_too(console: Console, api: httpx.Client) -> None:
    declare(api, "by-header")
    api.post("/bindings/%2F/e/amq.headers/q/by-header", json={"arguments": {"x-match": "all", "size": 3}})
    console.open("exchanges", "/", "amq.headers")
    form = console.form("Try a routing key")
    form.get_by_role("button", name="Add", exact=True).click()
    form.get_by_label("Name", exact=True).fill("size")
    form.get_by_label("Value of", exact=False).fill("3")
    form.get_by_label("Type of", exact=False).select_option("number")
    form.get_by_role("button", name="Try", exact=True).click()
    console.page.locator(".hops", has_text="the message has size = 3").wait_for()


# -- connections --


def test_a_connection_is_closed_with_a_reason(console: Console, broker_process: BrokerProcess) -> None:
    page = console.page
    properties = {"connection_name": "a worker"}
    parameters = pika.URLParameters(broker_process.url)
    parameters.client_properties = properties
    connection = pika.BlockingConnection(parameters)
    channel = connection.channel()
    channel.queue_declare("consumed", exclusive=False)
    channel.basic_consume("consumed", lambda *_: None, consumer_tag="reader")
    console.open("channels")
    page.get_by_label("Channels", exact=True).locator("tbody").get_by_role("link").first.click()
    page.get_by_text("reader").wait_for()
    console.open("connections")
    page.get_by_text("a worker").wait_for()
    page.get_by_label("Connections", exact=True).locator("tbody").get_by_role("link").first.click()
    page.get_by_role("heading", name="What the client says of itself").wait_for()
    page.get_by_role("button", name="Close", exact=True).click()
    page.get_by_label("Reason, told to the client").fill("maintenance")
    console.confirm("Close it")
    console.said("The connection is closed.")
    with pytest.raises(pika.exceptions.ConnectionClosed, match="maintenance"):
        connection.process_data_events(5)


# -- rules and people --


def test_a_policy_shows_what_it_would_match_before_it_is_saved(console: Console, api: httpx.Client) -> None:
    declare(api, "pol-1", "pol-2", "other-pol")
    page = console.page
    console.open("policies")
    console.unfold("Add a policy")
    form = console.form("Policy")
    form.get_by_label("Name", exact=True).first.fill("brief")
    form.get_by_label("Pattern").fill("^pol-")
    form.get_by_label("Applies to").select_option("queues")
    page.get_by_text("it is the policy of 2 queues and 0 exchanges").wait_for()
    form.get_by_role("button", name="max-length", exact=True).click()
    form.get_by_label("Value of max-length").fill("10")
    form.get_by_role("button", name="Add policy").click()
    console.said("Policy brief is in effect.")
    assert api.get("/queues/%2F/pol-1").json()["effective_policy_definition"] == {"max-length": 10}
    page.get_by_role("button", name="Change brief").click()
    form = console.form("Policy")
    form.get_by_label("Pattern").fill("[")
    page.locator(".preview .note.bad").wait_for()
    form.get_by_label("Pattern").fill("^pol-1$")
    form.get_by_role("button", name="Save").click()
    console.said("Policy brief is in effect.")
    assert "policy" not in api.get("/queues/%2F/pol-2").json() or not api.get("/queues/%2F/pol-2").json()["policy"]
    page.get_by_role("button", name="Delete brief").click()
    assert "1 queue and 0 exchanges" in console.confirm("Delete")
    console.said("Policy brief is gone.")


def test_an_operator_policy_is_set(console: Console, api: httpx.Client) -> None:
    console.open("policies", tab="operator-policies")
    console.unfold("Add a policy")
    form = console.form("Policy")
    form.get_by_label("Name", exact=True).first.fill("most")
    form.get_by_label("Pattern").fill("^never$")
    form.get_by_role("button", name="max-length", exact=True).click()
    form.get_by_label("Value of max-length").fill("10")
    form.get_by_role("button", name="Add policy").click()
    console.said("Policy most is in effect.")
    assert api.get("/operator-policies/%2F/most").json()["definition"] == {"max-length": 10}
    api.delete("/operator-policies/%2F/most")


def test_a_user_is_made_given_permissions_changed_and_deleted(console: Console, api: httpx.Client) -> None:
    page = console.page
    console.open("users")
    console.unfold("Add a user")
    form = console.form("Add a user")
    form.get_by_label("Name", exact=True).fill("erika")
    form.get_by_label("Password").fill("pw")
    form.get_by_label("monitoring").check()
    form.get_by_role("button", name="Add user").click()
    console.said("User erika is there.")
    page.get_by_role("link", name="erika").click()
    form = console.form("Set permissions")
    form.get_by_label("Write").fill("^out\\.")
    form.get_by_role("button", name="Set permissions").click()
    console.said("The permissions in / are set.")
    assert api.get("/permissions/%2F/erika").json()["write"] == "^out\\."
    form = console.form("Set topic permissions")
    form.get_by_label("Write").fill("^a\\.")
    form.get_by_role("button", name="Set topic permissions").click()
    console.said("The topic permissions on amq.topic are set.")
    form = console.form("Tags")
    form.get_by_label("policymaker").check()
    form.get_by_role("button", name="Save tags").click()
    console.said("The tags are saved.")
    assert set(api.get("/users/erika").json()["tags"]) == {"monitoring", "policymaker"}
    # The password survived the change of tags.
    assert httpx.get(f"{console.base}/api/whoami", auth=("erika", "pw")).status_code == 200
    form = console.form("Password")
    form.get_by_label("New password").fill("other")
    form.get_by_role("button", name="Change password").click()
    console.said("The password is changed.")
    assert httpx.get(f"{console.base}/api/whoami", auth=("erika", "other")).status_code == 200
    page.get_by_role("button", name="Clear its permissions in /").click()
    console.confirm("Clear")
    console.said("They are cleared.")
    page.get_by_role("button", name="Delete").click()
    console.confirm("Delete")
    page.get_by_role("heading", name="Users", level=1).wait_for()
    assert api.get("/users/erika").status_code == 404


def test_a_virtual_host_is_made_limited_and_deleted(console: Console, api: httpx.Client) -> None:
    page = console.page
    console.open("vhosts")
    console.unfold("Add a virtual host")
    form = console.form("Add a virtual host")
    form.get_by_label("Name", exact=True).fill("shop/eu")
    form.get_by_label("Description").fill("The shop")
    form.get_by_role("button", name="Add virtual host").click()
    console.said("Virtual host shop/eu is there")
    declare(api, "q", vhost="shop%2Feu")
    console.open("limits")
    form = console.form("Set a limit: Virtual host")
    form.get_by_label("Virtual host").select_option("shop/eu")
    form.get_by_label("Of", exact=True).select_option("max-queues")
    form.get_by_label("At most").fill("12")
    form.get_by_role("button", name="Set limit").click()
    console.said("shop/eu: at most 12 queues.")
    assert api.get("/vhost-limits/shop%2Feu").json() == [{"vhost": "shop/eu", "value": {"max-queues": 12}}]
    page.get_by_role("button", name="Clear the limit max-queues of shop/eu").click()
    console.confirm("Clear")
    console.said("The limit is gone.")
    console.open("vhosts")
    page.get_by_role("button", name="Delete shop/eu").click()
    assert "1 queue and 0 messages would be lost" in console.confirm("Delete")
    console.said("Virtual host shop/eu is gone.")


def test_parameters_are_set_and_deleted(console: Console, api: httpx.Client) -> None:
    console.open("parameters")
    form = console.form("Set a global parameter")
    form.get_by_label("Name", exact=True).fill("colour")
    form.get_by_label("Value (JSON)").fill('{"a": 1')
    form.get_by_role("button", name="Set").click()
    form.get_by_role("alert").filter(has_text="The value is no JSON").wait_for()
    form.get_by_label("Value (JSON)").fill('{"a": 1}')
    form.get_by_role("button", name="Set").click()
    console.said("Parameter colour is set.")
    assert api.get("/global-parameters/colour").json()["value"] == {"a": 1}
    console.page.get_by_role("button", name="Delete colour").click()
    console.confirm("Delete")
    console.said("Parameter colour is gone.")


def test_definitions_are_exported_and_imported(console: Console, api: httpx.Client, tmp_path: Path) -> None:
    declare(api, "exported", durable=True)
    page = console.page
    console.open("definitions")
    with page.expect_download() as download:
        console.form("Export definitions").get_by_role("button", name="Download").click()
    file = tmp_path / download.value.suggested_filename
    download.value.save_as(file)
    assert "exported" in [queue["name"] for queue in json.loads(file.read_text())["queues"]]
    api.delete("/queues/%2F/exported")
    page.get_by_label("File").set_input_files(file)
    console.form("Import definitions").get_by_role("button", name="Import…").click()
    assert re.search(r"New are 1 queue\b", console.confirm("Import"))
    console.said("is imported.")
    assert api.get("/queues/%2F/exported").status_code == 200


def test_the_log_is_followed_live(console: Console, api: httpx.Client, broker_process: BrokerProcess) -> None:
    page = console.page
    console.open("logs")
    pika.BlockingConnection(pika.URLParameters(broker_process.url)).close()
    log = page.get_by_role("log", name="Log")
    log.get_by_text("user 'guest' authenticated and granted access to vhost '/'").last.wait_for()
    page.get_by_label("With the text").fill("no line has this")
    log.locator("p").first.wait_for(state="detached")
    page.get_by_label("With the text").fill("ACCEPTING")
    log.locator("p", has_text="accepting AMQP connection").first.wait_for()
    assert "q=ACCEPTING" in page.url
    page.get_by_label("From level").select_option("error")
    log.locator("p").first.wait_for(state="detached")


def test_a_message_is_followed_live(console: Console, api: httpx.Client) -> None:
    page = console.page
    declare(api, "followed")
    console.open("trace")
    form = console.form("Follow messages")
    form.get_by_label("Queue").fill("followed")
    form.get_by_role("button", name="Follow").click()
    page.get_by_text("Following: 0 events").wait_for()
    publish(api, "followed", "hello trace")
    events = page.get_by_role("log", name="Events")
    events.locator("summary", has_text="published").click()
    events.get_by_text("hello trace").wait_for()
    api.post("/queues/%2F/followed/get", json={"count": 1, "ackmode": "ack_requeue_false", "encoding": "auto"})
    events.locator("summary", has_text="delivered").wait_for()


def test_top_lists_tell_who_stands_out(console: Console, api: httpx.Client) -> None:
    page = console.page
    declare(api, "longest")
    publish(api, "longest", *"12345678")
    message = {"properties": {}, "routing_key": "nobody", "payload": "x", "payload_encoding": "string"}
    assert api.post("/exchanges/%2F/amq.topic/publish", json=message).json() == {"routed": False}
    console.open("top")
    page.get_by_role("link", name="longest", exact=True).wait_for()
    page.get_by_role("link", name="Unroutable").click()
    page.get_by_role("link", name="amq.topic").wait_for()
    page.get_by_role("link", name="Slow consumers").click()
    page.get_by_role("table", name="Slow consumers").wait_for()


def test_the_configuration_is_read_again_and_thresholds_are_moved(console: Console) -> None:
    page = console.page
    console.open("configuration")
    page.get_by_text("management.tcp.port", exact=True).wait_for()
    form = console.form("Disk")
    form.get_by_label("Disk alarm below").fill("much")
    form.get_by_role("button", name="Set").click()
    form.get_by_role("alert").wait_for()
    form.get_by_label("Disk alarm below").fill("51MB")
    with page.expect_response("**/api/amq/disk-free-limit") as answer:
        form.get_by_role("button", name="Set").click()
    assert (answer.value.status, answer.value.request.post_data_json) == (204, {"absolute": "51MB"})
    console.said("It is in effect.")
    console.form("Reload").get_by_role("button", name="Read them again").click()
    console.said("The configuration was read again.")


def test_feature_flags_are_listed(console: Console) -> None:
    console.open("features")
    console.page.get_by_text("quorum_queue", exact=True).wait_for()


# -- how pages live --


def test_figures_follow_what_happens_and_stop_when_paused(console: Console, api: httpx.Client) -> None:
    declare(api, "growing")
    page = console.page
    console.open("queues", q="growing")
    page.get_by_label("Update every").select_option("1")
    publish(api, "growing", "1", "2")
    row = page.get_by_label("Queues", exact=True).locator("tbody tr")
    row.get_by_text("2", exact=True).first.wait_for()
    page.get_by_role("button", name="Pause").click()
    console.said("Updates are paused.")
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.wait_for_timeout(1500)
    assert requests == []
    page.get_by_role("button", name="Resume").click()
    page.wait_for_timeout(200)
    assert requests


def test_nothing_that_is_typed_opened_or_focused_is_lost_in_an_update(console: Console, api: httpx.Client) -> None:
    page = console.page
    console.open("queues")
    page.get_by_label("Update every").select_option("1")
    console.unfold("Add a queue")
    name = console.form("Add a queue").get_by_label("Name", exact=True)
    name.fill("half a na")
    name.evaluate("(node) => node.setSelectionRange(2, 4)")
    for _ in range(2):
        with page.expect_response("**/api/queues?**"):
            pass
    page.wait_for_timeout(100)
    assert name.input_value() == "half a na"
    assert name.evaluate("(node) => [document.activeElement === node, node.selectionStart]") == [True, 2]


def test_rows_keep_their_places_while_the_pointer_is_on_them(console: Console, api: httpx.Client) -> None:
    declare(api, "place-a", "place-b")
    publish(api, "place-a", "1")
    page = console.page
    console.open("queues", q="place-", sort="messages_ready", desc="1")
    page.get_by_label("Update every").select_option("1")
    names = page.get_by_label("Queues", exact=True).locator("tbody th a")
    assert names.all_inner_texts() == ["place-a", "place-b"]
    names.first.hover()
    publish(api, "place-b", "1", "2", "3")
    # The figures follow, the rows wait.
    row = page.get_by_label("Queues", exact=True).locator("tbody tr").last
    row.get_by_text("3", exact=True).first.wait_for()
    assert names.all_inner_texts() == ["place-a", "place-b"]
    page.get_by_role("heading", level=1).hover()
    page.locator("tbody tr").first.get_by_role("link", name="place-b").wait_for()


def test_columns_are_chosen_and_remembered(console: Console, api: httpx.Client) -> None:
    declare(api, "columns")
    page = console.page
    console.open("queues", q="columns")
    assert page.get_by_role("columnheader", name="Size").count() == 0
    page.get_by_text("Columns", exact=True).click()
    page.get_by_label("Size", exact=True).check()
    page.get_by_label("Ack", exact=True).uncheck()
    page.get_by_role("columnheader", name="Size").wait_for()
    page.reload()
    page.get_by_role("columnheader", name="Size").wait_for()
    assert page.get_by_role("columnheader", name="Ack", exact=True).count() == 0


def test_the_charts_follow_the_arrow_keys(console: Console) -> None:
    page = console.page
    console.open("overview")
    chart = page.get_by_role("img", name=re.compile("^Messages in queues"))
    chart.wait_for()
    page.wait_for_function("document.querySelectorAll('.chart path.line').length > 2")
    assert ", now:" in chart.get_attribute("aria-label")
    chart.focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    page.locator("line.cursor").first.wait_for(state="attached")
    assert " at " in chart.get_attribute("aria-label")
    page.keyboard.press("Escape")
    page.locator("line.cursor").first.wait_for(state="detached")


def test_colours_are_chosen_and_remembered(console: Console) -> None:
    page = console.page
    console.open("overview")
    ground = "getComputedStyle(document.documentElement).backgroundColor"
    light = page.evaluate(ground)
    page.get_by_label("Colours").select_option("dark")
    assert page.evaluate(ground) != light
    page.reload()
    console.ready()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"


def test_a_broker_that_is_gone_is_told_in_words_until_it_is_back(
    open_console: Callable[..., Console], tmp_path: Path
) -> None:
    port = free_port()
    process = BrokerProcess(
        tmp_path,
        data=tmp_path / "data",
        management=True,
        environment={"AMQ_MANAGEMENT__TCP__PORT": str(port)},
    )
    process.start()
    console = open_console(None, watched=False)
    console.base = f"http://127.0.0.1:{process.http_port}"
    page = console.page
    console.sign_in("guest", "guest")
    console.open("queues")
    page.get_by_label("Update every").select_option("1")
    console.unfold("Add a queue")
    console.form("Add a queue").get_by_label("Name", exact=True).fill("not yet sent")
    process.stop()
    page.get_by_role("alert").filter(has_text="The broker does not answer.").wait_for()
    page.get_by_text("What you see is from").wait_for()
    # What was being written is still there.
    assert console.form("Add a queue").get_by_label("Name", exact=True).input_value() == "not yet sent"
    process.start()
    # Sessions end with the broker.
    page.get_by_text("Your session has ended. Sign in again to go on.").wait_for()
    page.get_by_label("User name").fill("guest")
    page.get_by_label("Password").fill("guest")
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("heading", name="Queues", level=1).wait_for()
    process.stop()
