"""The API's description, and whether the API keeps to it, whatever it is asked (schemathesis).

The default suite asks each endpoint a few things; `-m campaign` asks much more.
"""

from typing import Any

import httpx
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis.checks import CHECKS
from starlette.types import ASGIApp

from amq.management import openapi
from amq.management.answers import Answer, no_content
from amq.management.call import Call
from amq.management.endpoint import ANYBODY, MANAGEMENT, Endpoint, Parameter
from amq.management.table import ENDPOINTS
from tests.harness.process import BrokerProcess
from tests.management.conftest import client_of

CONFORMANCE = ("status_code_conformance", "content_type_conformance", "response_schema_conformance")
# Does not end.
STREAM = "/amq/trace/{vhost}"
GUEST = ("guest", "guest")


async def nothing(_call: Call) -> Answer:
    return no_content()


def described(endpoint: Endpoint) -> dict[str, Any]:
    """What the description says of an endpoint."""
    document = openapi.document([endpoint], "1.0", "/broker")
    assert document["servers"] == [{"url": "/broker/api"}]
    operation: dict[str, Any] = document["paths"][endpoint.path][endpoint.method.lower()]
    return operation


def test_parameters_are_described() -> None:
    endpoint = Endpoint(
        "GET",
        "/queues/{vhost}/{queue}",
        MANAGEMENT,
        nothing,
        "A queue",
        {200: {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}},
        query=(Parameter("age", "How old", {"type": "integer"}),),
    )
    operation = described(endpoint)
    assert operation["operationId"] == "get_queues_vhost_queue"
    assert [(each["name"], each["in"]) for each in operation["parameters"]] == [
        ("vhost", "path"),
        ("queue", "path"),
        ("age", "query"),
        ("columns", "query"),
    ]
    schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
    assert schema == {"type": "object", "properties": {"name": {"type": "string"}}}
    assert operation["responses"]["404"]["description"] == "There is no such vhost"


def test_what_everybody_may_do_needs_no_credentials() -> None:
    operation = described(Endpoint("GET", "/open", ANYBODY, nothing, "Open", {204: "Done"}))
    assert operation["security"] == []
    assert "401" not in operation["responses"]
    assert "401" in described(Endpoint("GET", "/closed", MANAGEMENT, nothing, "", {204: ""}))["responses"]


def test_a_body_and_errors_are_described() -> None:
    body = {"type": "object"}
    operation = described(Endpoint("PUT", "/x", MANAGEMENT, nothing, "", {204: "", 400: "Wrong"}, body=body))
    assert operation["requestBody"] == {"content": {"application/json": {"schema": body}}}
    assert operation["responses"]["400"] == {
        "description": "Wrong",
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
    }
    assert operation["responses"]["429"] == {"$ref": "#/components/responses/429"}


def test_a_page_of_a_list_keeps_what_it_says_besides_its_items() -> None:
    item = {"type": "object", "required": ["name"]}
    page = {"type": "object", "properties": {"items": item, "page_count": {}}, "required": ["items", "page_count"]}
    assert openapi.with_columns({"oneOf": [{"type": "array", "items": item}, page]}) == {
        "oneOf": [
            {"type": "array", "items": {"type": "object"}},
            {**page, "properties": {"items": {"type": "object"}, "page_count": {}}},
        ]
    }


async def test_the_description_is_served_to_everybody_and_names_every_endpoint(app: ASGIApp) -> None:
    async with client_of(app, None) as client:
        answer = await client.get("/openapi.json")
    assert answer.status_code == 200
    document = answer.json()
    found = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}
    assert found == {(e.method, e.path) for e in ENDPOINTS} | {("GET", "/openapi.json")}
    names = [operation["operationId"] for methods in document["paths"].values() for operation in methods.values()]
    assert len(names) == len(set(names))


def test_every_endpoint_says_what_it_is_for_and_what_it_answers() -> None:
    for endpoint in ENDPOINTS:
        assert endpoint.summary, endpoint.path
        assert endpoint.answers, endpoint.path


def ask_everything(process: BrokerProcess, examples: int, first: int) -> None:
    """Ask each endpoint that many things, and compare what it answers with the description."""
    base = f"http://127.0.0.1:{process.http_port}/api"
    schema = schemathesis.openapi.from_dict(httpx.get(f"{base}/openapi.json").raise_for_status().json())
    checks = CHECKS.get_by_names(CONFORMANCE)
    wrong = []
    session = requests.Session()
    for result in schema.get_all_operations():
        operation = result.ok()
        if operation.path == STREAM:
            continue

        @seed(first)
        @settings(
            max_examples=examples,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy())
        def ask(case: schemathesis.Case) -> None:
            answer = case.call(base_url=base, auth=GUEST, timeout=30.0, session=session)
            assert answer.status_code < 500 or answer.status_code == 503
            case.validate_response(answer, checks=checks)

        try:
            ask()
        except Exception as error:
            wrong.append(f"{operation.label}: {error}")
    session.close()
    assert wrong == []


def test_the_api_answers_as_described(process: BrokerProcess) -> None:
    ask_everything(process, 1, 1)


@pytest.mark.campaign
@pytest.mark.parametrize("first", range(10))
def test_the_api_answers_as_described_whatever_it_is_asked(process: BrokerProcess, first: int) -> None:
    ask_everything(process, 60, first)
