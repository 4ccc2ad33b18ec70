"""The plain lines of a run, and its summary."""

from amq.perf.lines import Lines
from amq.perf.load import Load
from tests.perf.runs import histogram, interval, result


def test_a_line_says_what_was_asked_to_be_measured() -> None:
    said: list[str] = []
    lines = Lines(said.append)
    lines.starts(Load(id="x", confirm=5), "RabbitMQ", "3.13.7")
    lines.interval(interval(1.0, consumer_latency=histogram(10, 20, 30)))
    assert said == [
        "id: x, RabbitMQ 3.13.7 at amqp://localhost:5672/%2F",
        "id: x, time: 1.000s, sent: 100 msg/s, confirmed: 0 msg/s, nacked: 0 msg/s, received: 90 msg/s, "
        "min/median/75th/95th/99th consumer latency: 10/20/30/30/30 µs",
    ]


def test_quiet_is_the_summary_and_what_is_wrong() -> None:
    said: list[str] = []
    lines = Lines(said.append, quiet=True)
    lines.starts(Load(), "a", "b")
    lines.interval(interval(1.0))
    lines.notes("blocked")
    lines.ends(result(unexpected=3))
    assert said[0] == "id: test, blocked"
    assert "id: test, sending rate avg: 100 msg/s (300 messages)" in said
    assert any("3 messages, left out of the latencies" in line for line in said)
