"""Forms with files (multipart/form-data, RFC 7578), as browsers upload them."""

from email.message import Message
from typing import Final

MEDIA_TYPE: Final = "multipart/form-data"
# Between the head of a part and its content.
_BLANK: Final = b"\r\n\r\n"


def fields(body: bytes, content_type: str) -> dict[str, bytes] | None:
    """The fields of a form by name, of those given twice the first; None for what is no form."""
    head = Message()
    head["content-type"] = content_type
    boundary = head.get_boundary()
    if head.get_content_type() != MEDIA_TYPE or not boundary:
        return None
    found: dict[str, bytes] = {}
    # Every boundary but the first one begins a line.
    for part in (b"\r\n" + body).split(b"\r\n--" + boundary.encode("utf-8", "replace"))[1:]:
        lines, blank, content = part.partition(_BLANK)
        if blank:
            found.setdefault(_name(lines), content)
    return found


def _name(lines: bytes) -> str:
    head = Message()
    for line in lines.decode("utf-8", "replace").splitlines():
        key, colon, value = line.partition(":")
        if colon and key.strip().lower() == "content-disposition":
            head["content-disposition"] = value.strip()
    name = head.get_param("name", "", "content-disposition")
    return name if isinstance(name, str) else ""
