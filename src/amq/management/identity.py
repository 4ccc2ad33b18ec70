"""Who is asking: /whoami."""

from typing import Any, Final

from amq.auth.users import User
from amq.management.answers import Answer, ok
from amq.management.call import Call
from amq.management.endpoint import MANAGEMENT, Endpoint, Schema

IDENTITY: Final[Schema] = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "tags": {"type": "array", "items": {"type": "string"}}},
    "required": ["name", "tags"],
}


def identity(user: User) -> dict[str, Any]:
    """A user as it is told to itself."""
    return {"name": user.name, "tags": sorted(user.tags)}


async def whoami(call: Call) -> Answer:
    """Name and tags of who asks."""
    return ok(identity(call.user))


TABLE: Final = (Endpoint("GET", "/whoami", MANAGEMENT, whoami, "The user who asks", {200: IDENTITY}),)
