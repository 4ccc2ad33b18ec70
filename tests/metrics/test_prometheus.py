"""What Prometheus is told."""

import gzip
import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from amq.metrics.families import CLUSTER, GROUPS
from amq.metrics.prometheus import Exposition
from tests.harness.dialogue import enter, publish
from tests.metrics.build import Watched, watched
from tests.metrics.scraping import Series, client_of, exposition_of, fetch, scrape, series, types

FOLDER = Path(__file__).parent
# Metrics and labels in the queries of Grafana's dashboard 10991 (RabbitMQ-Overview), of RabbitMQ 3.13 and of 4. The
# label `namespace`, which they have too, is the scraping Prometheus's.
DASHBOARD: dict[str, list[str]] = json.loads((FOLDER / "grafana_overview.json").read_text())
# What a RabbitMQ announces, but for erlang_vm_* and erlang_mnesia_*: there is no machine of Erlang's to tell of.
RABBITMQ = json.loads((FOLDER / "rabbitmq_names.json").read_text())


async def busy() -> tuple[Watched, Exposition]:
    """A broker on which everything that is counted has happened."""
    seen = await watched()
    client = seen.client
    client.say(1, "confirm.select")
    client.hears(1, "confirm.select-ok")
    client.send(
        publish(1, "q", b"four") * 10 + publish(1, "nowhere", b"x") * 2 + publish(1, "nowhere", b"x", mandatory=True)
    )
    client.drain()
    client.inbox.clear()
    for no_ack in (True, False, False):
        client.say(1, "basic.get", queue="q", no_ack=no_ack)
        client.drain()
    client.say(1, "basic.ack", delivery_tag=2)
    client.say(1, "basic.reject", delivery_tag=3, requeue=False)
    client.say(1, "basic.qos", prefetch_count=4)
    client.say(1, "basic.consume", queue="q", consumer_tag="c")
    client.drain()
    app = exposition_of(seen)
    await seen.after(5)
    return seen, app


def value(found: Series, name: str, **labels: str) -> float:
    """The sample with these labels, which is the only one."""
    [number] = [number for given, number in found[name] if labels.items() <= given.items()]
    return number


async def test_the_queries_of_the_official_dashboard_find_their_series() -> None:
    _, app = await busy()
    found = await scrape(app)
    missing = {
        name: labels
        for name, labels in DASHBOARD.items()
        if not any(set(labels) <= given.keys() for given, _ in found.get(name, []))
    }
    assert missing == {}
    bounds = {labels["le"] for labels, _ in found["rabbitmq_message_size_bytes_bucket"]}
    assert bounds == {"100.0", "1000.0", "10000.0", "100000.0", "1e+06", "1e+07", "5e+07", "1e+08", "+Inf"}


async def test_every_name_of_a_real_rabbitmq_is_announced_with_its_type() -> None:
    _, app = await busy()
    announced = dict(types(await fetch(app, "/metrics")))
    assert {name: kind for name, kind in RABBITMQ["metrics"].items() if announced.get(name) != kind} == {}


@pytest.mark.parametrize("group", sorted(RABBITMQ["detailed"]))
async def test_every_name_of_a_group_is_announced_with_its_type(group: str) -> None:
    _, app = await busy()
    announced = dict(types(await fetch(app, f"/metrics/detailed?family={group}")))
    assert {name: kind for name, kind in RABBITMQ["detailed"][group].items() if announced.get(name) != kind} == {}


async def test_counters_say_what_has_happened() -> None:
    _, app = await busy()
    found = await scrape(app)
    expected = {
        "received": 13,
        "received_confirm": 13,
        "confirmed": 13,
        "routed": 10,
        "unroutable_dropped": 2,
        "unroutable_returned": 1,
    }
    for name, count in expected.items():
        assert value(found, f"rabbitmq_global_messages_{name}_total", protocol="amqp091") == count, name
    by_type = {
        "delivered": 7,
        "delivered_consume_manual_ack": 4,
        "delivered_consume_auto_ack": 0,
        "delivered_get_auto_ack": 1,
        "delivered_get_manual_ack": 2,
        "acknowledged": 1,
        "redelivered": 0,
        "get_empty": 0,
    }
    for name, count in by_type.items():
        name = f"rabbitmq_global_messages_{name}_total"
        assert value(found, name, protocol="amqp091", queue_type="rabbit_classic_queue") == count, name
    dead = "rabbitmq_global_messages_dead_lettered_rejected_total"
    assert value(found, dead, queue_type="rabbit_classic_queue", dead_letter_strategy="disabled") == 1
    assert value(found, "rabbitmq_queue_messages_ready") == 3
    assert value(found, "rabbitmq_queue_messages_unacked") == 4
    assert value(found, "rabbitmq_queue_messages_bytes") == 28
    assert value(found, "rabbitmq_message_size_bytes_bucket", le="100.0") == 13
    assert value(found, "rabbitmq_message_size_bytes_sum") == 43
    totals = [value(found, f"rabbitmq_{name}") for name in ("connections", "channels", "consumers", "queues")]
    assert totals == [1, 1, 1, 1]


async def test_counters_do_not_go_back_when_channels_and_vhosts_go() -> None:
    seen, app = await busy()
    before = await scrape(app)
    seen.client.connection.lost(0.0)
    seen.broker.delete_vhost("/")
    await seen.after(5)
    after = await scrape(app)
    counters = [name for name, kind in types(await fetch(app, "/metrics")) if kind == "counter"]
    assert len(counters) > 50
    gone_back = {
        name: (labels, number)
        for name in counters
        for labels, number in before.get(name, [])
        if number > next((later for given, later in after[name] if given == labels), 0)
    }
    assert gone_back == {}
    assert value(after, "rabbitmq_global_messages_received_total", protocol="amqp091") == 13


async def test_each_object_has_series_of_its_own() -> None:
    seen, app = await busy()
    found = await scrape(app, "/metrics/per-object")
    queue = {"vhost": "/", "queue": "q"}
    assert found["rabbitmq_queue_messages_ready"] == [(queue, 3.0)]
    assert found["rabbitmq_queue_get_ack_total"] == [(queue, 2.0)]
    name = str(seen.client.connection.peer)
    assert found["rabbitmq_channel_messages_unacked"] == [({"channel": f"{name} (1)"}, 4.0)]
    assert found["rabbitmq_channel_messages_published_total"] == [({"channel": f"{name} (1)", "vhost": "/"}, 13.0)]
    [(labels, octets)] = found["rabbitmq_connection_incoming_bytes_total"]
    assert labels == {"channel": name, "connection": name}
    assert octets == seen.client.connection.received
    assert value(found, "rabbitmq_exchange_messages_unroutable_dropped_total", vhost="/", exchange="") == 2
    assert value(found, "rabbitmq_identity_info", rabbitmq_endpoint="per-object") == 1


async def test_the_same_is_at_the_front_door_where_it_is_configured_so() -> None:
    seen, _ = await busy()
    found = await scrape(exposition_of(seen, per_object=True))
    assert found["rabbitmq_queue_messages_ready"] == [({"vhost": "/", "queue": "q"}, 3.0)]


async def test_names_cannot_break_out_of_their_labels() -> None:
    seen = await watched()
    nasty = 'a"} 1\n# TYPE evil gauge\nevil 1\n\\'
    seen.broker.add_vhost(nasty)
    found = await scrape(exposition_of(seen), "/metrics/detailed?family=vhost_status")
    assert "evil" not in found
    assert found["rabbitmq_cluster_vhost_status"] == [({"vhost": "/"}, 1.0), ({"vhost": nasty}, 1.0)]


async def test_only_the_groups_and_vhosts_that_are_asked_for_are_told() -> None:
    seen, app = await busy()
    other = seen.broker.add_vhost("other")
    client = enter(channels=[1], broker=seen.broker)
    client.declare(1, "mine")
    assert other.queues == {}
    text = await fetch(app, "/metrics/detailed?family=queue_coarse_metrics&family=vhost_status&family=nonsense")
    names = {name for name in series(text) if not name.startswith(("telemetry", "rabbitmq_build", "rabbitmq_identity"))}
    assert names == {
        "rabbitmq_detailed_queue_messages_ready",
        "rabbitmq_detailed_queue_messages_unacked",
        "rabbitmq_detailed_queue_messages",
        "rabbitmq_detailed_queue_process_reductions_total",
        "rabbitmq_cluster_vhost_status",
    }
    found = await scrape(app, "/metrics/detailed?family=exchange_names&family=vhost_status&vhost=other")
    assert found["rabbitmq_cluster_vhost_status"] == [({"vhost": "other"}, 1.0)]
    assert {labels["vhost"] for labels, _ in found["rabbitmq_cluster_exchange_name"]} == {"other"}


async def test_without_groups_the_detailed_figures_are_only_whose_they_are() -> None:
    _, app = await busy()
    found = await scrape(app, "/metrics/detailed")
    assert {name for name in found if name.startswith("rabbitmq")} == {"rabbitmq_build_info", "rabbitmq_identity_info"}


def test_no_figure_stands_in_two_groups_but_the_number_of_consumers() -> None:
    names = [figure.name for groups in (GROUPS, CLUSTER) for figures in groups.values() for figure in figures]
    assert {name for name in names if names.count(name) > 1} == {"queue_consumers"}


async def test_consumers_are_told_once_when_both_of_their_groups_are_asked_for() -> None:
    _, app = await busy()
    text = await fetch(app, "/metrics/detailed?family=queue_metrics&family=queue_consumer_count")
    assert text.count("# TYPE rabbitmq_detailed_queue_consumers ") == 1


async def test_the_parts_of_the_memory_have_rabbitmqs_names() -> None:
    _, app = await busy()
    found = await scrape(app, "/metrics/memory-breakdown")
    names = {name for name in found if name.startswith("rabbitmq_memory_")}
    assert {"rabbitmq_memory_code_module_bytes", "rabbitmq_memory_binary_heap_bytes"} <= names
    assert len(names) == 24


async def test_the_journal_tells_how_long_the_disk_takes() -> None:
    _, app = await busy()
    found = await scrape(app)
    assert found["amq_journal_fsyncs_total"] == [({}, 1.0)]
    assert value(found, "amq_journal_fsync_seconds_bucket", le="0.002") == 0
    assert value(found, "amq_journal_fsync_seconds_bucket", le="0.005") == 1
    assert value(found, "amq_journal_fsync_seconds_count") == 1
    assert value(found, "amq_journal_messages_per_fsync") == 10


async def test_alarms_are_told() -> None:
    seen, app = await busy()
    assert value(await scrape(app), "rabbitmq_alarms_memory_used_watermark") == 0
    seen.broker.set_alarm("memory", True)
    assert value(await scrape(app), "rabbitmq_alarms_memory_used_watermark") == 1


async def test_a_scrape_tells_what_scrapes_have_cost() -> None:
    _, app = await busy()
    await fetch(app, "/metrics")
    found = await scrape(app)
    assert value(found, "telemetry_scrape_size_bytes_count", registry="default") == 2
    assert value(found, "telemetry_scrape_encoded_size_bytes_count", registry="default", encoding="gzip") == 1


async def test_answers_are_compressed_for_who_can_read_that() -> None:
    _, app = await busy()
    async with client_of(app) as client:
        answer = await client.get("/metrics", headers={"accept-encoding": "identity"})
        assert "content-encoding" not in answer.headers
        async with client.stream("GET", "/metrics", headers={"accept-encoding": "gzip"}) as compressed:
            raw = b"".join([part async for part in compressed.aiter_raw()])
    assert gzip.decompress(raw).startswith(b"# HELP rabbitmq_alarms_file_descriptor_limit")


async def test_a_head_request_has_no_body() -> None:
    _, app = await busy()
    async with client_of(app) as client:
        answer = await client.head("/metrics")
    assert (answer.status_code, answer.content) == (200, b"")


async def test_what_is_not_there_is_not_found() -> None:
    _, app = await busy()
    async with client_of(app) as client:
        for path, status, text in (
            ("/metrics/nothing", 404, "Unknown Registry"),
            ("/metricsx", 404, "Not Found"),
            ("/api/overview", 404, "Not Found"),
        ):
            answer = await client.get(path)
            assert (answer.status_code, answer.text) == (status, text)
        assert (await client.post("/metrics")).status_code == 405
        answer = await client.get("/metrics/detailed?" + "family=x&" * 2000)
        assert (answer.status_code, answer.text) == (400, "over 1000 parameters")
        answer = await client.get("/")
        assert (answer.status_code, answer.headers["location"]) == (302, "/metrics")


async def test_who_is_not_admitted_is_asked_for_a_password_and_told_nothing() -> None:
    _, app = await busy()
    asked = []

    async def admit(headers: Mapping[str, str], address: str) -> bool:
        asked.append((headers.get("authorization"), address))
        return headers.get("authorization") == "Basic right"

    app.admit = admit
    async with client_of(app) as client:
        refused = await client.get("/metrics")
        assert (refused.status_code, refused.content) == (401, b"")
        assert refused.headers["www-authenticate"] == 'Basic realm="RabbitMQ Prometheus"'
        assert (await client.get("/metrics", headers={"authorization": "Basic right"})).status_code == 200
    assert asked == [(None, "127.0.0.1"), ("Basic right", "127.0.0.1")]
