"""Reads a definitions document: text in, a Document out. Unknown keys are ignored, as RabbitMQ ignores them."""

from typing import Final

from amq.definitions.document import Document
from amq.definitions.fields import DocumentError, Fields, kind_of
from amq.definitions.pieces import WHOLE, pieces
from amq.definitions.sections import IN_VHOST, SECTIONS, user_of
from amq.definitions.steps import Steps, finish

USERS: Final = "users"
# What the document of one vhost has not.
OF_BROKER: Final = frozenset({USERS, *SECTIONS}) - frozenset(IN_VHOST)
# Where a document says which version made it.
VERSIONS: Final = ("rabbitmq_version", "rabbit_version")


def parse(text: str, vhost: str | None = None) -> Document:
    """The document in this text, read at once; see `parsing`."""
    return finish(parsing(text, vhost))


def parsing(text: str, vhost: str | None = None) -> Steps[Document]:
    """Read the document in this text. With a `vhost`, all that may be in one belongs there, and nothing else is read.

    Raises DocumentError, whose text begins with the place.
    """
    document = Document()
    versions: dict[str, str] = {}
    users: list[Fields] = []
    for section, number, value in pieces(text):
        if section in VERSIONS and isinstance(value, str):
            versions[section] = value
        elif (section in IN_VHOST or (vhost is None and section in OF_BROKER)) and value is not None:
            if number == WHOLE:
                raise DocumentError(section, f"must be a list, not {kind_of(value)}")
            fields = Fields(value, f"{section}[{number}]")
            if section == USERS:
                users.append(fields)
            else:
                SECTIONS[section](document, fields, vhost)
        yield
    version = versions.get(VERSIONS[0]) or versions.get(VERSIONS[1]) or ""
    for fields in users:
        # Whatever the order of sections: how a hash was made may depend on the version.
        document.users.append(user_of(fields, version))
        yield
    return document
