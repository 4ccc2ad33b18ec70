"""The live view of a load, on a terminal that is a string."""

import io

from rich.console import Console

from amq.perf.live import LiveView, sparkline
from amq.perf.load import Load
from tests.perf.runs import histogram, interval, result


def view() -> tuple[LiveView, io.StringIO]:
    out = io.StringIO()
    return LiveView(Console(file=out, force_terminal=True, width=120, color_system=None)), out


def shown(out: io.StringIO) -> str:
    """What the last drawing shows: all before it is wiped away."""
    return out.getvalue().rpartition("\x1b[2K")[2]


def test_after_each_interval_it_shows_rates_totals_and_latencies() -> None:
    live, out = view()
    live.starts(Load(seconds=60), "RabbitMQ", "3.10.8")
    live.interval(interval(1.0, published=2000, consumed=1000, consumer_latency=histogram(400)))
    live.interval(interval(2.0, published=4000, consumed=3000, consumer_latency=histogram(800)))
    text = shown(out)
    rows = {line.split()[0]: line.split() for line in text.splitlines() if line.split()}
    assert "RabbitMQ 3.10.8" in text and "2 s elapsed, 58 s left" in text
    assert rows["published"][1:4] == ["4k", "3k", "6,000"]
    assert rows["consumed"][1:4] == ["3k", "2k", "4,000"]
    assert "confirmed" not in rows and "blocked" not in text
    words = " ".join(text.split())
    assert "to consumer, now 800 µs" in words and "to consumer, in all 407 µs" in words
    live.close()


def test_what_is_left_of_a_number_of_messages_follows_from_the_rate() -> None:
    live, out = view()
    live.starts(Load(producers=2, producer_messages=1000), "RabbitMQ", "3.10.8")
    live.interval(interval(4.0, published=500))
    assert "4 s elapsed, 12 s left" in shown(out)
    live.close()


def test_a_load_without_an_end_says_nothing_of_what_is_left() -> None:
    live, out = view()
    live.starts(Load(), "RabbitMQ", "3.10.8")
    live.interval(interval(4.0))
    assert "4 s elapsed" in shown(out) and "left" not in shown(out)
    live.close()


def test_a_broker_that_holds_publishers_up_is_shown() -> None:
    live, out = view()
    live.starts(Load(), "RabbitMQ", "3.10.8")
    live.interval(interval(1.0, blocked=True))
    assert "blocked by the broker" in shown(out)
    live.interval(interval(2.0))
    assert "blocked by the broker" not in shown(out)
    live.close()


def test_at_the_end_the_averages_stay_and_the_cursor_is_back() -> None:
    live, out = view()
    live.starts(Load(), "RabbitMQ", "3.10.8")
    live.interval(interval(1.0))
    live.ends(result())
    text = shown(out)
    assert "ended after 3 s" in text and "300" in text and "to consumer, in all" in text and "now  " not in text
    assert out.getvalue().rindex("\x1b[?25h") > out.getvalue().rindex("\x1b[?25l")


def test_what_others_wrote_does_not_command_the_terminal() -> None:
    live, out = view()
    live.starts(Load(), "Rabbit\x1b]0;owned\x07MQ", "[red]1\r\n")
    live.notes("blocked: \x1b[2J")
    assert "\x1b]0;" not in out.getvalue() and "\x1b[2J" not in out.getvalue()
    assert "[red]1" in shown(out) and "blocked: \ufffd[2J" in shown(out)
    live.close()


def test_a_line_of_blocks_is_as_high_as_its_highest() -> None:
    assert sparkline([0, 50, 100]) == " ▄█"
    assert sparkline([0, 0]) == "  " and sparkline([]) == ""
