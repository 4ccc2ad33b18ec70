"""Elements of HTML and SVG as text, so that what comes from elsewhere stays text.

Names of queues, and what a broker says of itself, are written by strangers: whatever they contain, they are shown and
never read as markup.
"""

import re
from html import escape
from typing import Final

# What XML forbids, and what would turn around the text that follows it.
UNFIT: Final = re.compile("[^\t\n\x20-\x7e\xa0-\u2029\u202f-\u2065\u206a-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def escaped(text: object) -> str:
    """A text as content or as the value of an attribute; characters that a document cannot carry become U+FFFD."""
    return escape(UNFIT.sub("\ufffd", str(text)))


def element(tag: str, content: str = "", **attributes: object) -> str:
    """An element; `content` is markup, values of attributes are text.

    An underscore in an attribute's name stands for a hyphen, one at its end is dropped (`class_`); an attribute whose
    value is None is left out.
    """
    written = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{escaped(value)}"'
        for name, value in attributes.items()
        if value is not None
    )
    return f"<{tag}{written}>{content}</{tag}>"


def text(tag: str, content: object, **attributes: object) -> str:
    """An element that holds text."""
    return element(tag, escaped(content), **attributes)
