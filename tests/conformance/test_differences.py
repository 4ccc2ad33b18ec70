"""The table of differences speaks of dialogues that exist."""

from pathlib import Path

from tests.conformance.differences import DIFFERENCES


def test_every_listed_difference_names_a_dialogue() -> None:
    sources = "\n".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py"))
    missing = [name for name in DIFFERENCES if f"def {name.partition('[')[0]}(" not in sources]
    assert missing == []
