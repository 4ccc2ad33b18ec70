"""What a dialogue hears: a method with its content, or something that it did not expect."""

from typing import Any

from tests.conformance import methods

CODES = {
    200: "REPLY_SUCCESS",
    312: "NO_ROUTE",
    320: "CONNECTION_FORCED",
    403: "ACCESS_REFUSED",
    404: "NOT_FOUND",
    405: "RESOURCE_LOCKED",
    406: "PRECONDITION_FAILED",
    501: "FRAME_ERROR",
    502: "SYNTAX_ERROR",
    503: "COMMAND_INVALID",
    504: "CHANNEL_ERROR",
    505: "UNEXPECTED_FRAME",
    530: "NOT_ALLOWED",
    540: "NOT_IMPLEMENTED",
    541: "INTERNAL_ERROR",
}
WITH_CONTENT = {"basic.deliver", "basic.get-ok", "basic.return"}


class Mismatch(AssertionError):
    """What was heard is not what the dialogue expects."""

    def __init__(self, expected: str, heard: str) -> None:
        super().__init__(f"expected {expected}\n   heard {heard}")
        self.expected = expected
        self.heard = heard


class Heard:
    """A method from the server, with its content when it carries one."""

    def __init__(self, method: methods.Method) -> None:
        self.name, self.fields = method
        self.size = 0
        self.properties: dict[str, Any] = {}
        self.header = b""
        self.body = b""

    def __getitem__(self, field: str) -> Any:
        if field in ("body", "properties", "headers"):
            return self.properties.get("headers") if field == "headers" else getattr(self, field)
        return self.fields[field]

    @property
    def typed_headers(self) -> dict[str, Any]:
        """The headers with the type letter of every value."""
        headers: dict[str, Any] = methods.decode_header(self.header, typed=True)[1].get("headers", {})
        return headers

    def __str__(self) -> str:
        if self.name in ("connection.close", "channel.close"):
            return f"{self.name} {self['reply_code']} {self['reply_text']}"
        shown = [f"{name}={content!r}" for name, content in self.fields.items()]
        if self.name in WITH_CONTENT:
            shown += [f"body={self.body!r}", f"properties={self.properties!r}"]
        return " ".join([self.name, *shown])


def same(heard: str, wanted: str) -> None:
    """A detail of what was heard must be this text."""
    if heard != wanted:
        raise Mismatch(wanted, heard)
