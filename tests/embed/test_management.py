"""The HTTP API of an embedded broker: off unless it is asked for."""

import httpx
import pytest

from amq import embed
from amq.config.web import ManagementSettings, PrometheusSettings
from amq.server import management
from amq.server.errors import StartError

GUEST = ("guest", "guest")


def test_nothing_is_served_over_http_by_default() -> None:
    with embed.running() as broker:
        assert broker.management_url is None


def test_the_api_is_served_at_a_free_port_when_it_is_asked_for() -> None:
    with embed.running(management=True) as broker:
        url = broker.management_url
        assert url is not None
        assert httpx.get(f"{url}/api/whoami", auth=GUEST).status_code == 200
        assert broker.url.startswith("amqp://")


def test_the_port_stays_over_a_restart() -> None:
    with embed.running(management=True) as broker:
        url = broker.management_url
        broker.restart()
        assert broker.management_url == url
        assert httpx.get(f"{url}/api/whoami", auth=GUEST).status_code == 200


def test_it_can_be_set_up_like_that_of_any_broker() -> None:
    with embed.running(management=ManagementSettings(tcp_port=0, path_prefix="/mq")) as broker:
        assert str(broker.management_url).endswith("/mq")
        assert httpx.get(f"{broker.management_url}/api/whoami", auth=GUEST).status_code == 200


async def test_figures_for_prometheus_are_served_when_they_are_asked_for() -> None:
    async with embed.serve(prometheus=PrometheusSettings(tcp_port=0)) as broker:
        assert broker.management_url is None


def test_what_is_not_installed_cannot_be_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(management, "NEEDED", ("starlette", "no_such_package"))
    match = r"no_such_package not installed; `pip install 'amq\[management\]'`"
    with pytest.raises(StartError, match=match), embed.running(management=True):
        pass
