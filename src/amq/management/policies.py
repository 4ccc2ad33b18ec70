"""Policies and operator policies: /api/policies, /api/operator-policies, and what a policy would do."""

from collections.abc import Mapping
from typing import Any, Final

import trio

from amq.definitions.quotas import check_room
from amq.exchanges.base import Exchange
from amq.management.answers import Answer, created, no_content, ok
from amq.management.call import Call
from amq.management.endpoint import ADMINISTRATOR, MANAGEMENT, POLICYMAKER, Endpoint, Handler
from amq.management.entities_json import checked_name, octets_in, required, text
from amq.management.entity_schemas import LIST_QUERY, TEXT, WHOLE, array_of, page_of, record
from amq.management.entity_schemas import TABLE as OBJECT
from amq.management.errors import BadRequest, NotFound
from amq.management.listing import listing
from amq.management.turns import Turns
from amq.management.visible import listed_vhosts
from amq.queues.base import Queue
from amq.vhost.effective import merged
from amq.vhost.parameters import OPERATOR_POLICY, ParameterError
from amq.vhost.parameters import POLICY as POLICY_COMPONENT
from amq.vhost.policy import PAUSE, Policies, Policy, PolicyError, best, effective_definition
from amq.vhost.vhost import Vhost

# Of what a policy would match, so much is shown by name.
SHOWN: Final = 500
# How long an answer waits, in s, until a policy has reached everything; others may go on changing theirs.
PATIENCE: Final = 5.0
# RabbitMQ's name for policies that have none yet.
UNNAMED: Final = ""


def policy_json(vhost: Vhost, policy: Policy) -> dict[str, Any]:
    """A policy as the API and exports show it."""
    return {"vhost": vhost.name, "name": policy.name, **policy_value(policy)}


def policy_value(policy: Policy) -> dict[str, Any]:
    """What a policy says, by RabbitMQ's names."""
    return {
        "pattern": policy.pattern,
        "apply-to": policy.apply_to,
        "definition": dict(policy.definition),
        "priority": policy.priority,
    }


def policy_in(name: str, body: Mapping[str, Any], operator: bool) -> Policy:
    """The policy that a request describes. Raises BadRequest."""
    definition = body["definition"]
    if not isinstance(definition, dict):
        raise failed("definition should be an object")
    apply_to = body.get("apply-to", body.get("applyto", "all"))
    if not isinstance(apply_to, str):
        raise failed("apply-to should be a string")
    try:
        return Policy(name, body["pattern"], definition, body.get("priority", 0), apply_to, operator)
    except PolicyError as error:
        # RabbitMQ shields its console from markup in policies, but not in operator policies.
        raise failed(str(error) if operator else unmarked(str(error))) from None


def failed(problem: str) -> BadRequest:
    """What RabbitMQ answers when something is not valid."""
    return BadRequest(f"Validation failed\n\n{problem}\n")


def unmarked(words: str) -> str:
    """Without what a browser could take for markup."""
    return words.replace("<", "&lt;").replace(">", "&gt;")


def check_quota(call: Call, component: str) -> None:
    """Raise BadRequest where there may be no more parameters of a component."""
    try:
        check_room(call.node.broker, component)
    except ParameterError as error:
        raise BadRequest(str(error)) from None


async def _applied(vhost: Vhost) -> None:
    """Wait until policies have taken effect on all of a vhost: who set one and looks, sees it."""
    with trio.move_on_after(PATIENCE):
        # The core, which counts them, knows nothing of trio's events.
        while vhost.applying:  # noqa: ASYNC110
            await trio.sleep(PAUSE)


class PolicyEndpoints:
    """The handlers for policies, or with `operator` for operator policies."""

    def __init__(self, operator: bool) -> None:
        self._operator = operator

    def of(self, vhost: Vhost) -> Policies:
        """Those of a vhost."""
        return vhost.operator_policies if self._operator else vhost.policies

    async def list_all(self, call: Call) -> Answer:
        """GET /policies."""
        return await self._listed(call, listed_vhosts(call))

    async def list_of_vhost(self, call: Call) -> Answer:
        """GET /policies/{vhost}."""
        return await self._listed(call, [call.vhost])

    async def _listed(self, call: Call, vhosts: list[Vhost]) -> Answer:
        found = [(vhost, policy) for vhost in vhosts for policy in sorted(self.of(vhost).all(), key=_name)]
        return await listing(call, found, lambda one: policy_json(*one), name=lambda one: one[1].name)

    async def show(self, call: Call) -> Answer:
        """GET /policies/{vhost}/{name}."""
        return ok(policy_json(call.vhost, self._named(call)))

    async def put(self, call: Call) -> Answer:
        """PUT /policies/{vhost}/{name}."""
        body = call.json()
        vhost, name = call.vhost, call.path["name"]
        checked_name(octets_in(name), "policy name")
        required(body, "pattern", "definition")
        policy = policy_in(name, body, self._operator)
        there = self.of(vhost).get(name) is not None
        if not there:
            check_quota(call, OPERATOR_POLICY if self._operator else POLICY_COMPONENT)
        call.node.work(lambda: self.of(vhost).set(policy))
        await _applied(vhost)
        await call.node.safe()
        return no_content() if there else created()

    async def delete(self, call: Call) -> Answer:
        """DELETE /policies/{vhost}/{name}."""
        vhost, name = call.vhost, self._named(call).name
        call.node.work(lambda: self.of(vhost).clear(name))
        await _applied(vhost)
        await call.node.safe()
        return no_content()

    async def preview(self, call: Call) -> Answer:
        """POST /amq/policies/{vhost}/preview: what the policy of the body would match and change if it were set."""
        body = call.json()
        vhost = call.vhost
        required(body, "pattern", "definition")
        name = body.get("name", UNNAMED)
        if not isinstance(name, str):
            raise BadRequest(["not_string", "name"])
        preview = Preview(vhost, policy_in(name, body, self._operator), self.of(vhost))
        turns = Turns()
        things: list[Queue | Exchange] = [*vhost.queues.values(), *vhost.exchanges.values()]
        async for thing in turns.each(things):
            preview.look_at(thing)
        return ok(preview.json())

    def _named(self, call: Call) -> Policy:
        policy = self.of(call.vhost).get(call.path["name"])
        if policy is None:
            raise NotFound()
        return policy


def _name(policy: Policy) -> str:
    return policy.name


class Preview:
    """What a policy would do. `there` are the policies of its kind."""

    def __init__(self, vhost: Vhost, policy: Policy, there: Policies) -> None:
        self._vhost = vhost
        self._policy = policy
        self._candidates = [*(each for each in there.all() if each.name != policy.name), policy]
        self._shown: dict[str, list[dict[str, Any]]] = {"queues": [], "exchanges": []}
        self._matched = {"queues": 0, "exchanges": 0}
        self._won = {"queues": 0, "exchanges": 0}

    def look_at(self, thing: Queue | Exchange) -> None:
        """Find out what would become of a queue or an exchange."""
        if thing.deleted or not thing.name or not self._policy.matches(thing):
            return
        kind = "queues" if isinstance(thing, Queue) else "exchanges"
        counting = best(self._candidates, thing)
        wins = counting is self._policy
        self._matched[kind] += 1
        self._won[kind] += wins
        if self._matched[kind] <= SHOWN:
            self._shown[kind].append(
                {
                    "name": text(thing.name),
                    "wins": wins,
                    "policy": None if counting is None else counting.name,
                    "effective_policy_definition": effective_definition(thing),
                    "would_be": self._definition(thing, counting),
                }
            )

    def _definition(self, thing: Queue | Exchange, counting: Policy | None) -> dict[str, Any]:
        user, operator = thing.policy, thing.operator_policy
        if self._policy.operator:
            operator = counting
        else:
            user = counting
        return merged(
            user.definition if isinstance(user, Policy) else {},
            operator.definition if isinstance(operator, Policy) else {},
        )

    def json(self) -> dict[str, Any]:
        """What was found, the first SHOWN of each kind by name."""
        return {
            **{kind: sorted(shown, key=lambda one: str(one["name"])) for kind, shown in self._shown.items()},
            "matched": self._matched,
            "won": self._won,
        }


POLICY: Final = record("", vhost=TEXT, name=TEXT, pattern=TEXT, definition=OBJECT, priority={"type": "number"})
BODY: Final = record(
    "pattern definition", **{"pattern": TEXT, "definition": OBJECT, "priority": {"type": "number"}, "apply-to": TEXT}
)
_COUNTS: Final = record("queues exchanges", queues=WHOLE, exchanges=WHOLE)
_MATCHED: Final = record(
    "name wins policy effective_policy_definition would_be",
    name=TEXT,
    wins={"type": "boolean"},
    policy={"type": ["string", "null"]},
    effective_policy_definition=OBJECT,
    would_be=OBJECT,
)
PREVIEW: Final = record(
    "queues exchanges matched won",
    queues=array_of(_MATCHED),
    exchanges=array_of(_MATCHED),
    matched=_COUNTS,
    won=_COUNTS,
)
_GONE: Final = "there is no such policy"
_NO_VHOST: Final = "there is no such vhost"


def _table(path: str, kind: str, operator: bool) -> tuple[Endpoint, ...]:
    handlers = PolicyEndpoints(operator)
    # Operator policies are there to bound what policymakers may do.
    changing = ADMINISTRATOR if operator else POLICYMAKER
    one = f"{path}/{{vhost}}/{{name}}"
    listed = {200: page_of(POLICY)}

    def listed_by(place: str, handler: Handler, summary: str, more: Mapping[int, str]) -> Endpoint:
        return Endpoint("GET", place, MANAGEMENT, handler, summary, {**listed, **more}, query=LIST_QUERY)

    return (
        listed_by(path, handlers.list_all, f"All {kind}", {}),
        listed_by(f"{path}/{{vhost}}", handlers.list_of_vhost, f"The {kind} of a vhost", {404: _NO_VHOST}),
        # A single one is shown to those who may change it, as by RabbitMQ; the lists are open to more.
        Endpoint("GET", one, changing, handlers.show, f"One of the {kind}", {200: POLICY, 404: _GONE}),
        Endpoint(
            "PUT",
            one,
            changing,
            handlers.put,
            f"Set one of the {kind}, with effect at once",
            {201: "made", 204: "replaced", 400: "it cannot be so", 404: _NO_VHOST},
            body=BODY,
        ),
        Endpoint(
            "DELETE",
            one,
            changing,
            handlers.delete,
            f"Clear one of the {kind}, with effect at once",
            {204: "cleared", 404: _GONE},
        ),
        Endpoint(
            "POST",
            f"/amq{path}/{{vhost}}/preview",
            changing,
            handlers.preview,
            f"What one of the {kind} would match and change",
            {200: PREVIEW, 400: "it cannot be so", 404: _NO_VHOST},
            body=BODY,
        ),
    )


TABLE: Final = (
    *_table("/policies", "policies", False),
    *_table("/operator-policies", "operator policies", True),
)
