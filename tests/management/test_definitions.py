"""Definitions over HTTP: exports of RabbitMQ imported, exported again and compared; and what becomes of wrong ones."""

import json
import logging
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.types import ASGIApp

from amq.broker import Broker
from amq.config.settings import Settings
from amq.management.app import application
from amq.management.definitions import LOGGED, WARNINGS
from amq.vhost import topology
from amq.vhost.policy import effective_definition
from tests.harness.dialogue import Dialogue, enter
from tests.management.asking import NO_VHOST, ask, bad
from tests.management.conftest import client_of, new_node

EXPORTS = Path(__file__).parents[1] / "definitions" / "exports"
QUEUE = {"name": "q", "vhost": "/", "durable": True, "auto_delete": False, "arguments": {}}
# What differs from broker to broker, or says nothing but where a document comes from.
OWN = ("internal_cluster_id",)


def export(name: str) -> dict[str, Any]:
    """An export that is kept beside the tests; those called like RabbitMQ are what a real one has made."""
    found = json.loads((EXPORTS / f"{name}.json").read_text("utf-8"))
    assert isinstance(found, dict)
    return found


def comparable(document: dict[str, Any]) -> dict[str, list[str]]:
    """The sections, whatever the order of what is in them. Of vhosts and users, what every version says."""
    sections = {name: items for name, items in document.items() if isinstance(items, list)}
    sections["vhosts"] = [{"name": vhost["name"]} for vhost in document.get("vhosts", [])]
    sections["global_parameters"] = [
        found for found in document.get("global_parameters", []) if found["name"] not in OWN
    ]
    sections["users"] = [{**user, "tags": sorted(user["tags"])} for user in document.get("users", [])]
    return {name: sorted(json.dumps(item, sort_keys=True) for item in items) for name, items in sections.items()}


async def take(client: httpx.AsyncClient, document: Any, path: str = "/definitions") -> httpx.Response:
    content = document if isinstance(document, bytes) else json.dumps(document).encode()
    return await client.post(path, content=content, headers={"content-type": "application/json"})


async def given(client: httpx.AsyncClient, path: str = "/definitions") -> dict[str, Any]:
    answer = await client.get(path)
    assert answer.status_code == 200
    found = answer.json()
    assert isinstance(found, dict)
    return found


@pytest.fixture
def broker() -> Broker:
    """One that begins with what RabbitMQ begins with, and with nobody who is not in a document."""
    return Broker(Settings(), 0.0, 0.0)


# -- round trips --


async def test_an_export_of_rabbitmq_comes_out_as_it_went_in(client: httpx.AsyncClient) -> None:
    document = export("rabbitmq-3.10.8")
    answer = await take(client, document)
    assert (answer.status_code, answer.content, answer.headers.get(WARNINGS)) == (204, b"", None)
    assert comparable(await given(client)) == comparable(document)


async def test_importing_it_again_changes_nothing(client: httpx.AsyncClient, broker: Broker) -> None:
    document = export("rabbitmq-3.10.8")
    await take(client, document)
    before = await given(client)
    queues = dict(broker.vhosts["shop"].queues)
    assert (await take(client, document)).status_code == 204
    assert (await take(client, before)).status_code == 204
    assert await given(client) == before
    assert broker.vhosts["shop"].queues == queues


async def test_the_export_of_one_vhost_comes_out_of_another_as_it_went_in(client: httpx.AsyncClient) -> None:
    document = export("rabbitmq-3.10.8-vhost")
    await client.put("/vhosts/copy")
    assert (await take(client, document, "/definitions/copy")).status_code == 204
    found = await given(client, "/definitions/copy")
    assert list(found) == list(document)
    there = json.loads(json.dumps(found).replace('"vhost": "copy"', '"vhost": "shop"'))
    assert comparable(there) == comparable(document)


async def test_what_rabbitmqctl_exports_is_the_same(client: httpx.AsyncClient, broker: Broker) -> None:
    answer = await take(client, export("rabbitmqctl-3.10.8"))
    # It forgets the internal exchange, but not that it is bound; and there are two queues of other types.
    assert (answer.status_code, answer.headers[WARNINGS]) == (204, "3")
    found = comparable(await given(client))
    wanted = comparable(export("rabbitmq-3.10.8"))
    for section in ("users", "permissions", "topic_permissions", "parameters", "policies", "queues"):
        assert found[section] == wanted[section]
    shop = broker.vhosts["shop"]
    assert (shop.description, shop.tags) == ("The shop", ("production", "eu"))


async def test_users_log_in_with_the_passwords_that_they_had(client: httpx.AsyncClient, broker: Broker) -> None:
    await take(client, export("rabbitmq-3.10.8"))
    for name, password in (("sha256", "secret-256"), ("sha512", "secret-512"), ("md5", "secret-md5")):
        enter(broker, vhost="shop", user=name, password=password, channels=[1]).hears_nothing()
        refused = Dialogue(broker)
        refused.greet()
        refused.start_ok(user=name, password="wrong")
        refused.hears(0, "connection.close", reply_code=403)


async def test_what_was_imported_takes_effect(client: httpx.AsyncClient, broker: Broker) -> None:
    await take(client, export("rabbitmq-3.10.8"))
    shop = broker.vhosts["shop"]
    assert effective_definition(shop.queues[b"orders"]) == {
        "max-length": 1000,
        "message-ttl": 60000,
        "overflow": "reject-publish",
        "max-length-bytes": 10485760,
        "expires": 86400000,
    }
    dialogue = enter(broker, vhost="shop", user="sha256", password="secret-256", channels=[1])
    dialogue.publish(1, "order.7.created", b"lamp", exchange="events")
    assert [shop.queues[name].ready_count() for name in (b"orders", b"audit")] == [1, 1]


# -- documents of other versions --


async def test_queues_of_other_types_are_left_out_with_a_warning(
    client: httpx.AsyncClient, broker: Broker, caplog: pytest.LogCaptureFixture
) -> None:
    answer = await take(client, export("rabbitmq-3.10.8-queue-types"))
    assert (answer.status_code, answer.headers[WARNINGS]) == (204, "2")
    assert not {b"replicated", b"log"} & broker.vhosts["shop"].queues.keys()
    assert (
        "queue 'replicated' in vhost 'shop' is not imported, there are no queues of type 'quorum' here" in caplog.text
    )


async def test_a_document_like_those_of_3_13_is_imported(client: httpx.AsyncClient, broker: Broker) -> None:
    answer = await take(client, export("like-rabbitmq-3.13"))
    # Two queues, and the components of two plug-ins in one.
    assert (answer.status_code, answer.headers[WARNINGS]) == (204, "3")
    orders = broker.vhosts["orders"]
    assert (orders.description, orders.default_queue_type, orders.limits) == (
        "Orders",
        "classic",
        {"max-connections": 500},
    )
    assert sorted(orders.queues) == [b"app.in", b"app.slow"]
    found = comparable(await given(client))
    wanted = comparable(export("like-rabbitmq-3.13"))
    for section in ("users", "permissions", "topic_permissions", "parameters", "policies", "exchanges"):
        assert found[section] == wanted[section]
    assert broker.cluster_name() == "rabbit@orders"


async def test_a_document_like_those_of_4_1_is_imported(client: httpx.AsyncClient, broker: Broker) -> None:
    answer = await take(client, export("like-rabbitmq-4.1"))
    # As above, and the default queue type of a vhost.
    assert (answer.status_code, answer.headers[WARNINGS]) == (204, "4")
    orders = broker.vhosts["orders"]
    assert (orders.default_queue_type, orders.protected_from_deletion) == (None, True)
    assert broker.global_parameters["cluster_tags"] == {"region": "eu"}
    vhosts = {vhost["name"]: vhost for vhost in (await given(client))["vhosts"]}
    described = {"description": "Orders", "tags": ["eu"], "protected_from_deletion": True}
    assert vhosts["orders"] == {"name": "orders", **described, "metadata": described}


async def test_a_document_of_one_vhost_like_those_of_4_1_is_imported(client: httpx.AsyncClient, broker: Broker) -> None:
    answer = await take(client, export("like-rabbitmq-4.1-vhost"), "/definitions/%2F")
    assert (answer.status_code, answer.headers.get(WARNINGS)) == (204, None)
    assert broker.vhosts["/"].limits == {"max-connections": 500}
    assert sorted(broker.vhosts["/"].queues) == [b"app.in", b"app.slow"]


# -- what is exported --


async def test_what_does_not_outlive_its_clients_is_not_exported(client: httpx.AsyncClient, broker: Broker) -> None:
    dialogue = enter(broker, channels=[1])
    dialogue.declare(1, "mine", exclusive=True)
    vhost = broker.vhosts["/"]
    topology.create_queue(vhost, b"amq.gen-transient", False, None, False, {})
    kept = [topology.create_queue(vhost, name, durable, None, False, {}) for name, durable in KEPT]
    topics = vhost.exchanges[b"amq.topic"]
    for queue in (vhost.queues[b"mine"], *kept):
        topology.bind(vhost, topics, queue, b"k", {})
    found = await given(client, "/definitions/%2F")
    assert [queue["name"] for queue in found["queues"]] == ["amq.gen-durable", "transient"]
    assert [binding["destination"] for binding in found["bindings"]] == ["amq.gen-durable", "transient"]


KEPT = ((b"amq.gen-durable", True), (b"transient", False))


async def test_an_export_names_the_broker_as_clients_see_it(client: httpx.AsyncClient) -> None:
    found = await given(client)
    assert list(found) == [
        "rabbit_version",
        "rabbitmq_version",
        "product_name",
        "product_version",
        "users",
        "vhosts",
        "permissions",
        "topic_permissions",
        "parameters",
        "global_parameters",
        "policies",
        "queues",
        "exchanges",
        "bindings",
    ]
    assert (found["rabbit_version"], found["product_name"]) == ("3.13.7", "RabbitMQ")


async def test_a_browser_saves_an_export_under_the_name_that_it_asks_for(client: httpx.AsyncClient) -> None:
    for path in ("/definitions", "/definitions/%2F"):
        answer = await client.get(path, params={"download": 'a_b-1.json";x=\r\n'})
        assert answer.headers["content-disposition"] == "attachment; filename=a_b-1.jsonx"
        assert "content-disposition" not in (await client.get(path)).headers


async def test_a_vhost_that_is_not_there_has_no_definitions(client: httpx.AsyncClient) -> None:
    assert await ask(client, "GET", "/definitions/v") == bad("vhost_not_found")
    assert await ask(client, "POST", "/definitions/v", {}) == NO_VHOST
    assert await ask(client, "POST", "/amq/definitions/check?vhost=v", {}) == NO_VHOST


# -- what is wrong --


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (b"x", "failed_to_parse_json: not JSON at line 1, column 1: Expecting value"),
        (b"[]", "failed_to_parse_json: must be an object, not a list"),
        (b"\xff", "failed_to_parse_json: not UTF-8 at octet 0"),
        ({"queues": [{"name": "q"}]}, "queues[0].vhost: is missing"),
        ({"queues": [QUEUE, {**QUEUE, "name": "r", "vhost": "v"}]}, "queues[1].vhost: vhost 'v' does not exist"),
    ],
)
async def test_a_broken_document_changes_nothing(
    client: httpx.AsyncClient, broker: Broker, document: Any, reason: str
) -> None:
    answer = await take(client, document)
    assert (answer.status_code, answer.json()) == bad(reason)
    assert broker.vhosts["/"].queues == {}


async def test_an_empty_document_is_none(client: httpx.AsyncClient) -> None:
    before = await given(client)
    for document in (b"", b" \n", b"{}", b'\xef\xbb\xbf{"unknown": [1, {"a": 2}], "more": 5}'):
        assert (await take(client, document)).status_code == 204
    assert await given(client) == before


async def test_very_many_warnings_are_summed_up_in_the_log(
    client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    queues = [{**QUEUE, "name": f"q{number}", "type": "quorum"} for number in range(LOGGED + 7)]
    answer = await take(client, {"queues": queues})
    assert answer.headers[WARNINGS] == str(LOGGED + 7)
    assert len(caplog.records) == LOGGED + 1
    assert "7 more warnings like these" in caplog.text


# -- forms --


async def test_a_browser_uploads_a_file_and_goes_on_to_a_page(client: httpx.AsyncClient, broker: Broker) -> None:
    file = {"file": ("d.json", json.dumps({"queues": [QUEUE]}).encode(), "application/json")}
    answer = await client.post("/definitions", files=file, data={"redirect": "../#/import-succeeded"})
    assert (answer.status_code, answer.headers["location"]) == (303, "../#/import-succeeded")
    assert list(broker.vhosts["/"].queues) == [b"q"]
    assert (await client.post("/definitions/%2F", files=file)).status_code == 204


@pytest.mark.parametrize("place", ["https://elsewhere.example/x", "//elsewhere.example", "javascript:alert(1)", ""])
async def test_a_form_sends_nobody_elsewhere(client: httpx.AsyncClient, place: str) -> None:
    answer = await client.post("/definitions", files={"file": b"{}"}, data={"redirect": place})
    assert (answer.status_code, "location" in answer.headers) == (204, False)


async def test_a_form_without_a_file_is_no_document(client: httpx.AsyncClient) -> None:
    answer = await client.post("/definitions", files={"other": b"{}"})
    assert answer.status_code == 400
    assert answer.json()["reason"].startswith("failed_to_parse_json")


# -- checks --


async def test_a_check_says_what_an_import_would_come_to_and_changes_nothing(
    client: httpx.AsyncClient, broker: Broker
) -> None:
    topology.create_queue(broker.vhosts["/"], b"q", True, None, False, {})
    document = {"queues": [QUEUE, {**QUEUE, "name": "r"}, {**QUEUE, "name": "s", "type": "stream"}]}
    answer = await take(client, document, "/amq/definitions/check")
    found = answer.json()
    assert found["warnings"] == [
        "queues[2]: queue 's' in vhost '/' is not imported, there are no queues of type 'stream' here"
    ]
    assert (found["found"]["queues"], found["new"]["queues"], found["new"]["exchanges"]) == (3, 1, 0)
    assert list(broker.vhosts["/"].queues) == [b"q"]
    answer = await take(client, {"queues": [{"name": "t"}]}, "/amq/definitions/check?vhost=/")
    assert answer.json()["new"]["queues"] == 1
    answer = await take(client, {"queues": [{"name": "t", "vhost": "v"}]}, "/amq/definitions/check")
    assert (answer.status_code, answer.json()["reason"]) == (400, "queues[0].vhost: vhost 'v' does not exist")


@pytest.fixture
def other(broker: Broker) -> ASGIApp:
    """Another node of the same broker, for a client that is not an administrator."""
    broker.users.add("u", "x", ["policymaker", "monitoring"])
    return application(new_node(broker))


async def test_definitions_are_for_administrators(other: ASGIApp) -> None:
    async with client_of(other, ("u", "x")) as client:
        for method, path in (("GET", ""), ("POST", ""), ("GET", "/%2F"), ("POST", "/%2F")):
            assert (await ask(client, method, f"/definitions{path}", {}))[0] == 401
        assert (await ask(client, "POST", "/amq/definitions/check", {}))[0] == 401
