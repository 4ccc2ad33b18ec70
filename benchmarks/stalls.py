"""How long messages are held up while something large happens beside them.

    python benchmarks/stalls.py [--only NAME,...] [--long N] [--wave N] [--rabbitmq]

A process publishes 1,000 messages a second and consumes them. Meanwhile something happens: a consumer that does not
read, a message of 64 MiB, a purge of a queue of --long messages, --wave messages that expire at once, 10,000
definitions ... (stalls_events.py has them all). A row says, in ms, how long the slowest message of the flow was under
way and the longest time in which none arrived, in the second before and during the event, and how long the event took
in s. The target is 20 ms. Every event gets an amq of its own; with --rabbitmq the same happens to Debian's RabbitMQ
instead, as far as AMQP goes. All processes share the machine: on a busy one, run it several times.
"""

import argparse
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from broker_process import Broker, amq, rabbitmq
from chosen import chosen
from stalls_events import EVENTS, PAGED
from stalls_flow import Window, flowing
from stalls_stage import Stage

LONG: Final = 5_000_000
WAVE: Final = 1_000_000
TARGET: Final = 20.0  # ms
PAUSE: Final = 1.0  # seconds
# The budget for messages of a broker that is to page out.
LITTLE: Final = {"AMQ_BODY_MEMORY_LIMIT": "100MB"}
# And of others: a message in memory is the harder case.
PLENTY: Final = {"AMQ_BODY_MEMORY_LIMIT": "8GB"}


def measured(broker: Broker, name: str, long: int, messages: int) -> tuple[Window, Window, float]:
    """The flow before and during an event, and the seconds that it took."""
    event, web = EVENTS[name]
    found = broker.said(r"api +http://127\.0\.0\.1:(\d+)")
    stage = Stage(broker.port, int(found[1]) if web and found else 0, long, messages)
    steps = event(stage)
    next(steps)
    with flowing(broker.port) as flow:
        time.sleep(PAUSE)
        flow.send("window")
        flow.recv()
        time.sleep(PAUSE)
        flow.send("window")
        quiet = flow.recv()
        began = time.perf_counter()
        for _ in steps:
            raise AssertionError("an event yields once")
        seconds = time.perf_counter() - began
        # What it leaves behind counts as well.
        time.sleep(PAUSE)
        flow.send("window")
        return quiet, flow.recv(), seconds


def row(name: str, theirs: bool, long: int, messages: int) -> bool:
    """Run one event and print its row; whether it kept to the target."""
    with tempfile.TemporaryDirectory(prefix="stalls-") as scratch:
        folder = Path(scratch)
        broker = rabbitmq(folder) if theirs else amq(folder)
        if broker is None:
            sys.exit("no RabbitMQ here: apt-get install rabbitmq-server")
        broker.environment |= LITTLE if name in PAGED else PLENTY
        broker.environment["PYTHONUNBUFFERED"] = "1"
        broker.start()
        try:
            # RabbitMQ listens before it is ready.
            time.sleep(2 if theirs else 0.5)
            quiet, during, seconds = measured(broker, name, long, messages)
        finally:
            broker.kill()
    print(
        f"{name:28}{quiet.slowest:9.1f}{quiet.gap:9.1f}{during.slowest:12.1f}{during.gap:9.1f}{seconds:10.2f}"
        f"{max(quiet.own, during.own):8.1f}",
        flush=True,
    )
    return during.slowest <= TARGET and during.messages > 0


def main() -> None:
    """Every event, or those that --only names."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help=f"some of {', '.join(EVENTS)}")
    parser.add_argument("--long", type=int, default=LONG, help="messages in a long queue")
    parser.add_argument("--wave", type=int, default=WAVE, help="messages that are due, or unacknowledged, at once")
    parser.add_argument("--rabbitmq", action="store_true", help="measure RabbitMQ")
    options = parser.parse_args()
    # Brokers and folders go, too, when this is told to end.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    names = chosen(parser, options.only, EVENTS)
    if options.rabbitmq:
        names = [name for name in names if not EVENTS[name][1]]
    print(f"{'':28}{'before':>9}{'gap':>9}{'during':>12}{'gap':>9}{'took s':>10}{'own':>8}")
    late = [name for name in names if not row(name, options.rabbitmq, options.long, options.wave)]
    print(f"{len(names) - len(late)} of {len(names)} within {TARGET:.0f} ms; not: {', '.join(late) or 'none'}")


if __name__ == "__main__":
    main()
