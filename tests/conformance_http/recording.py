"""What a real RabbitMQ answered, kept in `recorded/`, one file for each scenario."""

import json
from pathlib import Path
from typing import Any

from tests.conformance_http.play import Play, Target
from tests.conformance_http.scenarios import SCENARIOS

FOLDER = Path(__file__).parent / "recorded"


def play(name: str, target: Target) -> list[dict[str, Any]]:
    """Play a scenario; returns what the server answered."""
    playing = Play(target)
    try:
        SCENARIOS[name](playing)
    finally:
        playing.end()
    return playing.transcript


def file_of(name: str) -> Path:
    """Where a scenario is recorded."""
    return FOLDER / f"{name}.json"


def read(name: str) -> list[dict[str, Any]]:
    """What RabbitMQ answered when the scenario was recorded."""
    transcript: list[dict[str, Any]] = json.loads(file_of(name).read_text())
    return transcript


def write(name: str, transcript: list[dict[str, Any]]) -> None:
    """Record a scenario, an answer a line."""
    lines = ",\n".join(json.dumps(said, ensure_ascii=False, sort_keys=True) for said in transcript)
    file_of(name).write_text(f"[\n{lines}\n]\n")
