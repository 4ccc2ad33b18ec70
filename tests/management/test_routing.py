"""Which endpoint a path means."""

import pytest

from amq.management.answers import Answer, no_content
from amq.management.call import Call
from amq.management.endpoint import MANAGEMENT, Endpoint
from amq.management.routing import Routes, parameters


async def nothing(_call: Call) -> Answer:
    return no_content()


def endpoint(path: str, method: str = "GET") -> Endpoint:
    return Endpoint(method, path, MANAGEMENT, nothing, "", {204: ""})


ROUTES = Routes(
    [
        endpoint("/queues"),
        endpoint("/queues/detailed"),
        endpoint("/queues/{vhost}"),
        endpoint("/queues/{vhost}/{queue}"),
        endpoint("/queues/{vhost}/{queue}", "PUT"),
        endpoint("/queues/{vhost}/{queue}/get", "POST"),
        endpoint("/queues/quorum/{vhost}/{queue}/status"),
    ]
)


@pytest.mark.parametrize(
    "path, meant, values",
    [
        ("/queues", "/queues", {}),
        ("/queues/", "/queues", {}),
        ("/queues/detailed", "/queues/detailed", {}),
        ("/queues/%2F", "/queues/{vhost}", {"vhost": "/"}),
        ("/queues/%2f/", "/queues/{vhost}", {"vhost": "/"}),
        ("/queues/%2F/a%2Fb", "/queues/{vhost}/{queue}", {"vhost": "/", "queue": "a/b"}),
        ("/queues/%2F//", "/queues/{vhost}/{queue}", {"vhost": "/", "queue": ""}),
        ("/queues/detailed/q", "/queues/{vhost}/{queue}", {"vhost": "detailed", "queue": "q"}),
        ("/queues/quorum/v/q/status", "/queues/quorum/{vhost}/{queue}/status", {"vhost": "v", "queue": "q"}),
        ("/queues/quorum/q", "/queues/{vhost}/{queue}", {"vhost": "quorum", "queue": "q"}),
        ("/queues/v/caf%C3%A9", "/queues/{vhost}/{queue}", {"vhost": "v", "queue": "café"}),
        ("/queues/v/%FF", "/queues/{vhost}/{queue}", {"vhost": "v", "queue": "\udcff"}),
        ("/queues/v/a+b", "/queues/{vhost}/{queue}", {"vhost": "v", "queue": "a+b"}),
        ("/queues/v/%", "/queues/{vhost}/{queue}", {"vhost": "v", "queue": "%"}),
    ],
)
def test_a_path_means_an_endpoint(path: str, meant: str, values: dict[str, str]) -> None:
    found = ROUTES.find(path)
    assert found is not None
    endpoint = found[0].endpoint("GET")
    assert endpoint is not None
    assert (found[0].path, parameters(endpoint, found[1])) == (meant, values)


@pytest.mark.parametrize("path", ["", "/", "//", "/nothing", "/queues//q/x/y", "/queue", "/queues/v/q/set"])
def test_other_paths_mean_nothing(path: str) -> None:
    assert ROUTES.find(path) is None


def test_a_place_tells_its_methods() -> None:
    found = ROUTES.find("/queues/v/q")
    assert found is not None
    assert found[0].allowed() == "HEAD, GET, PUT, OPTIONS"
    assert found[0].endpoint("HEAD") is found[0].endpoint("GET")
    assert found[0].endpoint("DELETE") is None


def test_an_endpoint_is_there_once() -> None:
    with pytest.raises(ValueError, match="GET /x is there twice"):
        Routes([endpoint("/x"), endpoint("/x")])
