"""One request, as a handler sees it: who asks, what for, and the vhost that the path names."""

import json
from collections.abc import Mapping
from math import isfinite
from typing import Any

import attrs

from amq.auth.users import User
from amq.connection.channel import Channel
from amq.management.errors import BadRequest, NotFound
from amq.management.node import Node
from amq.management.roles import ADMINISTRATOR, has_role
from amq.management.visitor import visit
from amq.vhost.vhost import Vhost


@attrs.define(eq=False)
class Call:
    """`path` and `query` hold decoded text; of a parameter given twice, the first counts. `headers` are in lower case.

    `local`: it came over the socket of the broker's owner, who is administrator and has every permission.
    `source` is the address it came from, `secure` whether over TLS.
    """

    node: Node
    user: User
    local: bool
    source: str
    secure: bool
    method: str
    path: Mapping[str, str]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    @property
    def vhost(self) -> Vhost:
        """The vhost that the path names. Raises NotFound."""
        vhost = self.node.broker.vhosts.get(self.path["vhost"])
        if vhost is None:
            raise NotFound()
        return vhost

    def has_role(self, role: str) -> bool:
        """Whether the user may do what is for this role."""
        return has_role(self.user.tags, role)

    def may_enter(self, vhost: Vhost) -> bool:
        """Whether the user has permissions in that vhost."""
        return self.local or vhost.permissions.may_enter(self.user.name)

    def may_see(self, vhost: Vhost) -> bool:
        """Whether the user may list what is in that vhost: with permissions in it, or as administrator."""
        return self.has_role(ADMINISTRATOR) or self.may_enter(vhost)

    def vhosts(self) -> list[Vhost]:
        """The vhosts whose contents the user may list."""
        return [vhost for vhost in self.node.broker.vhosts.values() if self.may_see(vhost)]

    def wants_stats(self) -> bool:
        """Whether rates and figures are wanted: the broker's settings and the query may say that they are not."""
        disabled = self.node.broker.settings.management.disable_stats
        return not disabled and self.query.get("disable_stats") != "true"

    def wants_totals(self) -> bool:
        """Whether counts of messages are wanted all the same (`enable_queue_totals`)."""
        return self.query.get("enable_queue_totals") == "true"

    def json(self) -> dict[str, Any]:
        """The body, {} if it is empty or null. Raises BadRequest for what is no JSON object."""
        if self.body.strip() in (b"", b"null", b"undefined"):
            return {}
        try:
            value = json.loads(self.body, parse_constant=_refuse, parse_float=_finite)
        except (ValueError, RecursionError):
            raise BadRequest("not_json") from None
        if isinstance(value, dict):
            return value
        if isinstance(value, str):
            raise BadRequest(
                "invalid payload: the request body JSON-decoded to a string. Is the input doubly-JSON-encoded?"
            )
        raise BadRequest("not_json")

    def channel(self, vhost: Vhost) -> Channel:
        """A channel of this user inside the core, for what AMQP clients do too.

        Faults that come of it need not be caught: they become 400, 401 or 404.
        """
        return visit(self.node.broker, vhost, self.user, self.local)


def _finite(text: str) -> float:
    """A number that can be said in JSON again: 1e999 could not."""
    number = float(text)
    if not isfinite(number):
        raise ValueError(f"{text} is too large")
    return number


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is no JSON")
