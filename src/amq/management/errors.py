"""Requests that cannot be answered as asked: status codes with RabbitMQ's words for them.

{"error": "bad_request", "reason": "..."}
"""

from collections.abc import Mapping
from typing import Any, Final

from amq.errors import ACCESS_REFUSED, NOT_FOUND, Fault

BAD_REQUEST: Final = "bad_request"
NOT_AUTHORISED: Final = "not_authorised"

# Text, or a word with what it is about: ["not_boolean", "x"].
Reason = str | list[Any]


class ApiError(Exception):
    """An answer other than the one that was asked for. `error` is a word for programs, `reason` is for people.

    With an empty `error` the answer has no body.
    """

    def __init__(
        self, status: int, error: str = "", reason: Reason = "", headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(status, error, reason)
        self.status = status
        self.error = error
        self.reason = reason
        self.headers: Mapping[str, str] = headers or {}

    def body(self) -> dict[str, Any] | None:
        """What the answer holds."""
        return {"error": self.error, "reason": self.reason} if self.error else None


class BadRequest(ApiError):
    """400: the request says something that is not allowed; `reason` says what, where and what is."""

    def __init__(self, reason: Reason, error: str = BAD_REQUEST) -> None:
        super().__init__(400, error, reason)


class NotFound(ApiError):
    """404, in RabbitMQ's words unless others are given."""

    def __init__(self, reason: str = "Not Found", error: str = "Object Not Found") -> None:
        super().__init__(404, error, reason)


class NotAuthorised(ApiError):
    """401: the user is known, but may not do this."""

    def __init__(self, reason: str = "Access refused.", error: str = NOT_AUTHORISED) -> None:
        super().__init__(401, error, reason)


class MethodNotAllowed(ApiError):
    """405 with the methods that are allowed."""

    def __init__(self, allowed: str) -> None:
        super().__init__(405, headers={"allow": allowed})


def from_fault(fault: Fault) -> ApiError:
    """What AMQP calls a channel or connection fault, as an HTTP answer."""
    if fault.code == NOT_FOUND:
        return NotFound(fault.text, "not_found")
    if fault.code == ACCESS_REFUSED:
        return NotAuthorised(fault.text)
    return BadRequest(fault.text)
