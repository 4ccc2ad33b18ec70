"""Text of others on a terminal: names, headers and bodies hold anything, and a terminal obeys control characters."""

import json
from typing import Any


def harmless(text: str) -> str:
    """The text with everything that is no printable character as an escape, also what would turn its direction."""
    if text.isprintable():
        return text
    return "".join([letter if letter.isprintable() else _escape(letter) for letter in text])


def harmless_lines(text: str) -> str:
    """The same for a text of several lines, whose line ends and tabs stay."""
    return "".join([letter if letter in "\n\t" or letter.isprintable() else _escape(letter) for letter in text])


def _escape(letter: str) -> str:
    return letter.encode("unicode_escape", "backslashreplace").decode("ascii")


def cell(value: Any) -> str:
    """A value of the API in one cell, as it is."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return ", ".join(value)
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")) if value else ""
    return str(value)
