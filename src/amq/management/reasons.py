"""What AMQP's faults are called over HTTP. RabbitMQ has two ways, and says the same thing differently on each.

declaring, binding, deleting, purging     the bare text; what the user may not do is just "Access refused."
publishing and getting                    with code and name: "406 PRECONDITION_FAILED - ..."
"""

from collections.abc import Iterator
from contextlib import contextmanager

from amq.errors import ACCESS_REFUSED, NOT_ALLOWED, NOT_FOUND, Fault
from amq.management.errors import ApiError, BadRequest, NotAuthorised, NotFound


@contextmanager
def defining() -> Iterator[None]:
    """Raise faults of declaring, binding, deleting and purging as their HTTP answers."""
    try:
        yield
    except Fault as fault:
        raise _of_defining(fault) from None


@contextmanager
def publishing() -> Iterator[None]:
    """Raise faults of publishing as their HTTP answers."""
    try:
        yield
    except Fault as fault:
        raise BadRequest(_spoken(fault)) from None


@contextmanager
def getting() -> Iterator[None]:
    """Raise faults of getting as their HTTP answers."""
    try:
        yield
    except Fault as fault:
        raise _of_getting(fault) from None


def _of_defining(fault: Fault) -> ApiError:
    if fault.code == NOT_FOUND:
        return NotFound(fault.text, "not_found")
    if fault.code in (ACCESS_REFUSED, NOT_ALLOWED):
        return NotAuthorised()
    return BadRequest(fault.text)


def _of_getting(fault: Fault) -> ApiError:
    if fault.code == NOT_FOUND:
        return NotFound(_text(fault), "not_found")
    if fault.code == ACCESS_REFUSED:
        return NotAuthorised(_text(fault))
    return BadRequest(_spoken(fault))


def _spoken(fault: Fault) -> str:
    return f"{fault.code} {_text(fault)}"


def _text(fault: Fault) -> str:
    return fault.reply_text().decode("utf-8", "replace")
