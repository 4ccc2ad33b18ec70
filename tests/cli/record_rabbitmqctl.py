"""Records what a real RabbitMQ's tools say, for tests/cli/test_rabbitmqctl.py.

    RABBITMQ_NODENAME=rabbit@localhost python -m tests.cli.record_rabbitmqctl /usr/lib/rabbitmq/bin 5672

The node must be on this machine, and its guest may log in at that AMQP port. It should not be in use: the script makes
and deletes vhosts, users and parameters whose names begin with `ctl`, and names the cluster.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path

from tests.cli.ctl_dialogue import Heard, play

RECORD = Path(__file__).parent / "rabbitmqctl.json"
# RabbitMQ gathers statistics every 5 s.
STATISTICS_SECONDS = 6
SECONDS = 60


def main() -> None:
    folder, port = Path(sys.argv[1]), int(sys.argv[2])

    def run(command: list[str]) -> Heard:
        ended = subprocess.run(
            [folder / command[0], *command[1:]],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SECONDS,
        )
        return Heard(ended.returncode, ended.stdout, ended.stderr)

    heard = play(run, port, os.environ["RABBITMQ_NODENAME"], lambda: time.sleep(STATISTICS_SECONDS))
    RECORD.write_text(json.dumps([{"command": line, **asdict(said)} for line, said in heard], indent=1) + "\n")


if __name__ == "__main__":
    main()
