"""The load generator beside this file: compiled on first use, run, and its line read."""

import hashlib
import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).resolve().parent
LINE: Final = re.compile(
    r"pub/s (?P<published>\d+) conf/s (?P<confirmed>\d+) dlv/s (?P<delivered>\d+)  "
    r"confirm us p50 (?P<confirm50>\d+) p99 (?P<confirm99>\d+) max (?P<confirm100>\d+)  "
    r"e2e us p50 (?P<e2e50>\d+) p99 (?P<e2e99>\d+) max (?P<e2e100>\d+)  "
    r"nack (?P<nacked>\d+) disorder (?P<disordered>\d+) "
    r"secs (?P<seconds>[\d.]+) total (?P<sent>\d+)/\d+/(?P<received>\d+)  "
    r"p99\.9 us confirm (?P<confirm999>\d+) e2e (?P<e2e999>\d+)"
)


class Failed(Exception):
    """amqpload ended with an error or did not say its figures."""


def compiled(name: str) -> str:
    """The program made of `name`.c beside this file. Raises CalledProcessError where cc fails."""
    source = HERE / f"{name}.c"
    digest = hashlib.sha256(source.read_bytes()).hexdigest()[:12]
    binary = Path(tempfile.gettempdir()) / f"{name}-{digest}"
    if not binary.exists():
        made = binary.with_suffix(".made")
        subprocess.run(["cc", "-O2", "-pthread", "-o", str(made), str(source)], check=True)
        made.rename(binary)
    return str(binary)


def load_tool() -> str:
    """The compiled load generator."""
    return compiled("amqpload")


@dataclass(frozen=True)
class Delay:
    """Percentiles of a delay in us."""

    p50: float
    p99: float
    p999: float
    slowest: float


@dataclass(frozen=True)
class Load:
    """What amqpload measured: messages/s, delays, seconds, messages sent and received, and what went wrong."""

    published: float
    delivered: float
    confirm: Delay
    end_to_end: Delay
    seconds: float
    sent: int
    received: int
    nacked: int
    disordered: int


def load(address: str, *arguments: str | int, patience: float = 120.0) -> Load:
    """Run amqpload against HOST:PORT; `patience` in s. Raises Failed, and TimeoutExpired."""
    host, port = address.rsplit(":", 1)
    command = [load_tool(), "-H", host, "-P", port, *map(str, arguments)]
    run = subprocess.run(command, capture_output=True, text=True, timeout=patience, check=False)
    found = LINE.search(run.stdout)
    if run.returncode or found is None:
        raise Failed(f"amqpload said {run.stdout!r} {run.stderr!r}")
    numbers = {name: float(octets) for name, octets in found.groupdict().items()}
    return Load(
        published=numbers["published"],
        delivered=numbers["delivered"],
        confirm=Delay(*(numbers[name] for name in ("confirm50", "confirm99", "confirm999", "confirm100"))),
        end_to_end=Delay(*(numbers[name] for name in ("e2e50", "e2e99", "e2e999", "e2e100"))),
        seconds=numbers["seconds"],
        sent=int(numbers["sent"]),
        received=int(numbers["received"]),
        nacked=int(numbers["nacked"]),
        disordered=int(numbers["disordered"]),
    )
