"""The reference page of selectors says what the code does."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from amq.lang import selector_grammar, selector_like, selector_names, selector_subject
from amq.lang.selector import SelectorError
from amq.lang.selector_grammar import KEYWORDS, parse
from amq.message import Message
from amq.wire.tables import Field
from tests.lang.selectors import message

PAGE = (Path(__file__).parents[2] / "docs/reference/selectors.md").read_text()
ROWS = re.findall(r"^\| `(.+)` \| (.+) \|$", PAGE, re.MULTILINE)
EXAMPLES = [(selector, answer) for selector, answer in ROWS if answer in ("yes", "no", "unknown")]
MISTAKES = [(selector, answer) for selector, answer in ROWS if answer.startswith("line ")]


def field(value: Any) -> Field:
    """A value of JSON as a field of a table."""
    if isinstance(value, bool):
        return "t", value
    if isinstance(value, int):
        return "l", value
    if isinstance(value, str):
        return "S", value.encode()
    if isinstance(value, list):
        return "A", [field(each) for each in value]
    return "F", {name: field(each) for name, each in value.items()}


def example() -> tuple[Message, bool]:
    """The message of the page, and whether it is redelivered."""
    found = re.search(r"<!-- message -->\n```json\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None
    said = json.loads(found[1])
    properties = said["properties"]
    headers = properties.pop("headers") | {"x-death": said["x-death"]}
    made = message(
        said["payload"].encode(),
        said["exchange"].encode(),
        said["routing_key"].encode(),
        {name: field(value) for name, value in headers.items()},
        **properties,
    )
    return made, said["redelivered"]


@pytest.mark.parametrize(("selector", "answer"), EXAMPLES)
def test_the_examples_are_right(selector: str, answer: str) -> None:
    of, redelivered = example()
    taken = parse(selector).matches(of, redelivered)
    opposite = parse(f"NOT ({selector})").matches(of, redelivered)
    assert ("yes" if taken else "no" if opposite else "unknown") == answer


@pytest.mark.parametrize(("selector", "told"), MISTAKES)
def test_the_mistakes_are_told_like_that(selector: str, told: str) -> None:
    with pytest.raises(SelectorError) as caught:
        parse(selector)
    if told.endswith(", ..."):
        assert str(caught.value).startswith(told.removesuffix(" ..."))
    else:
        assert str(caught.value) == told


def test_there_are_examples_of_everything() -> None:
    assert len(EXAMPLES) > 30
    assert len(MISTAKES) > 4
    together = " ".join(selector.upper() for selector, _ in EXAMPLES)
    assert [word for word in KEYWORDS if word not in together and word not in ("TRUE", "FALSE")] == []


def test_every_name_is_explained() -> None:
    explained = set(re.findall(r"`(\w+)`", PAGE))
    assert set(selector_names.PLAIN) - explained == set()
    assert set(selector_names.DEATH_FIELDS) - explained == set()


def test_the_limits_are_those_of_the_code() -> None:
    (limits,) = re.findall(r"## Limits\n\n(.*?)\n\n?$", PAGE, re.DOTALL)
    for number in (
        selector_grammar.MAX_LENGTH,
        selector_grammar.MAX_WORDS,
        selector_grammar.MAX_DEPTH,
        selector_like.MAX_PIECE,
    ):
        assert re.search(rf"\b{number:,}\b", limits)
    assert f"{selector_subject.MAX_TEXT:,} octets" in PAGE
    assert f"at most {selector_subject.MAX_JSON:,} octets" in PAGE
