"""Policies: what operators say about queues and exchanges by their names, at any time, without declaring them anew.

Of the policies that match a thing the one with the highest priority counts, and beside it the highest of the operator
policies. What both say is worked out when a policy or the thing itself comes or goes, and copied into plain fields:
messages never meet a policy, and what no policy matches pays for none.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

import attrs

from amq.clock import Timed
from amq.exchanges.base import Exchange
from amq.journal import change
from amq.journal.change import Change
from amq.lang.pattern import PatternError, compile_pattern
from amq.queues.base import Agenda, Queue
from amq.queues.classic import ClassicQueue
from amq.vhost.effective import alternate_of, merged, options_of
from amq.vhost.expiry import watch_expiry
from amq.vhost.policy_keys import MIRRORING, problem_in, term

APPLY_TO: Final = ("queues", "classic_queues", "quorum_queues", "streams", "exchanges", "all")
# What each word means for a classic queue, the only type of queue there is.
OF_QUEUES: Final = frozenset({"all", "queues", "classic_queues"})
OF_EXCHANGES: Final = frozenset({"all", "exchanges"})
# The level of a line in the log.
WARNING: Final = 30
# Things that are looked at in one go when a policy changes: so many at most, and the fewer the more work all patterns
# together may be (a state takes up to 50 us with a long name). The others follow when everybody else had a turn.
PER_GO: Final = 200
STATES_PER_GO: Final = 4000
# Between two goes, in s.
PAUSE: Final = 0.001


class PolicyError(ValueError):
    """A policy cannot be; the text is what RabbitMQ says about it."""


@attrs.frozen
class Policy:
    """One policy, made of what JSON says. Raises PolicyError.

    `pattern` (text) is searched for in names, `definition` says what counts for what it matches, the highest
    `priority` (a number) wins, `apply_to` is one of APPLY_TO.
    """

    name: str
    pattern: Any
    definition: Mapping[str, Any] = attrs.field(factory=dict)
    priority: Any = 0
    apply_to: Any = "all"
    operator: bool = False

    def __attrs_post_init__(self) -> None:
        problem = (
            self._pattern_problem()
            or self._priority_problem()
            or self._apply_to_problem()
            or problem_in(self.definition, self.operator)
        )
        if problem:
            raise PolicyError(problem)

    def matches(self, thing: Queue | Exchange) -> bool:
        """Whether it is about this queue or exchange."""
        kinds = OF_QUEUES if isinstance(thing, Queue) else OF_EXCHANGES
        return self.apply_to in kinds and compile_pattern(self.pattern).search(thing.name) is not None

    def mirrors(self) -> bool:
        """Whether it speaks of mirrored queues, which there are none of."""
        return any(key in self.definition for key in MIRRORING)

    def _pattern_problem(self) -> str | None:
        if not isinstance(self.pattern, str):
            return f"pattern should be a binary but was {term(self.pattern)}"
        try:
            compile_pattern(self.pattern)
        except PatternError as error:
            found = f'{{"{error.problem}",{error.position}}}'
            return f"pattern should be regular expression but is invalid: {found}"
        return None

    def _priority_problem(self) -> str | None:
        if isinstance(self.priority, bool) or not isinstance(self.priority, int | float):
            return f"priority should be a number, actually was {term(self.priority)}"
        return None

    def _apply_to_problem(self) -> str | None:
        if self.apply_to in APPLY_TO:
            return None
        shown = self.apply_to if isinstance(self.apply_to, str) else term(self.apply_to)
        return (
            f"apply-to '{shown}' unrecognised; should be one of: 'queues', 'classic_queues', 'quorum_queues', "
            "'streams', 'exchanges', or 'all'"
        )


class Governed:
    """Whatever holds queues and exchanges that policies are about: a vhost."""

    __slots__ = ("name", "agenda", "exchanges", "queues", "expired", "policies", "operator_policies", "applying")

    def __init__(self, name: str, agenda: Agenda) -> None:
        self.name = name
        self.agenda = agenda
        self.exchanges: dict[bytes, Exchange] = {}
        self.queues: dict[bytes, Queue] = {}
        # Queues whose x-expires is over; the broker deletes them.
        self.expired: list[Queue] = []
        self.policies = Policies(self, False)
        self.operator_policies = Policies(self, True)
        # Changes of policies that have yet to take effect everywhere.
        self.applying: int = 0

    def changed(self) -> None:
        """Something that routes depend on is different now."""
        raise NotImplementedError


class Policies:
    """The policies of one vhost by name, or its operator policies."""

    __slots__ = ("_governed", "_operator", "_by_name", "_warned")

    def __init__(self, governed: Governed, operator: bool) -> None:
        self._governed = governed
        self._operator = operator
        self._by_name: dict[str, Policy] = {}
        self._warned: bool = False

    def set(self, policy: Policy) -> None:
        """Make a policy, or put it in the place of the one that has its name, and apply it."""
        assert policy.operator == self._operator, "it was checked as what it is"
        if self._by_name.get(policy.name) == policy:
            return
        self._by_name[policy.name] = policy
        if policy.mirrors() and not self._warned:
            self._warned = True
            text = f"policy '{policy.name}' in vhost '{self._governed.name}' asks for mirrored queues: "
            self._governed.agenda.log.append((WARNING, text + "it is kept, but has no effect on a single node"))
        self._changed(policy.name, policy)

    def clear(self, name: str) -> bool:
        """Remove a policy and its effect; False when there is none of that name."""
        if self._by_name.pop(name, None) is None:
            return False
        self._changed(name, None)
        return True

    def get(self, name: str) -> Policy | None:
        """The policy of that name, or None."""
        return self._by_name.get(name)

    def all(self) -> list[Policy]:
        """Every policy, a copy."""
        return list(self._by_name.values())

    def match(self, thing: Queue | Exchange) -> Policy | None:
        """The one that counts for a queue or an exchange, or None."""
        return best(self._by_name.values(), thing)

    def _changed(self, name: str, policy: Policy | None) -> None:
        kind = change.OPERATOR_POLICY if self._operator else change.POLICY
        governed = self._governed
        governed.agenda.journal.define(Change(kind, governed.name, (name,), policy, policy is None))
        apply_everywhere(governed)


def best(policies: Iterable[Policy], thing: Queue | Exchange) -> Policy | None:
    """Of those that match, the one with the highest priority; among equals the first by name."""
    matching = [policy for policy in policies if policy.matches(thing)]
    return min(matching, key=_rank, default=None)


def _rank(policy: Policy) -> tuple[float, str]:
    return -policy.priority, policy.name


# -- taking effect --


def apply(governed: Governed, thing: Queue | Exchange) -> None:
    """Have the policies that match a queue or an exchange take effect on it; those that no longer do lose theirs."""
    policy = governed.policies.match(thing)
    operator_policy = governed.operator_policies.match(thing)
    if (policy, operator_policy) == (thing.policy, thing.operator_policy):
        return
    thing.policy = policy
    thing.operator_policy = operator_policy
    definition = effective_definition(thing)
    if isinstance(thing, Exchange):
        thing.alternate = alternate_of(thing.arguments, definition)
        governed.changed()
    elif isinstance(thing, ClassicQueue):
        expires = thing.options.expires
        thing.reconfigure(options_of(thing.declared, thing.arguments, definition))
        if thing.options.expires != expires:
            thing.used_at = governed.agenda.clock.now
            watch_expiry(thing, governed.expired)


def apply_everywhere(governed: Governed) -> None:
    """Look at everything that policies may be about. Of very much the rest follows a moment later: see `applying`."""
    Application(governed, things_of(governed)).due(governed.agenda.clock.now)


def things_of(governed: Governed) -> list[Queue | Exchange]:
    """All that policies may be about: queues, and exchanges but for the default one."""
    exchanges = [exchange for name, exchange in governed.exchanges.items() if name]
    return [*exchanges, *governed.queues.values()]


class Application(Timed):
    """Applies policies to one thing after the other, with turns for everybody else in between."""

    __slots__ = ("governed", "things", "at", "per_go")

    def __init__(self, governed: Governed, things: list[Queue | Exchange]) -> None:
        self.governed = governed
        self.things = things
        self.at: int = 0
        policies = governed.policies.all() + governed.operator_policies.all()
        states = sum(compile_pattern(policy.pattern).states for policy in policies)
        self.per_go: int = min(PER_GO, max(1, STATES_PER_GO // max(1, states)))
        governed.applying += 1

    def due(self, now: float) -> None:
        agenda = self.governed.agenda
        stop = self.at + self.per_go
        for thing in self.things[self.at : stop]:
            if not thing.deleted:
                apply(self.governed, thing)
        self.at = stop
        if stop < len(self.things):
            # What is due now is done in one go, so not now.
            agenda.timers.add(agenda.clock.now + PAUSE, self)
        else:
            self.governed.applying -= 1


def effective_definition(thing: Queue | Exchange) -> dict[str, Any]:
    """What the policies of a queue or an exchange say together; empty without any."""
    user = thing.policy.definition if isinstance(thing.policy, Policy) else {}
    operator = thing.operator_policy.definition if isinstance(thing.operator_policy, Policy) else {}
    return merged(user, operator)


def preview(governed: Governed, policy: Policy) -> tuple[list[Queue | Exchange], list[Queue | Exchange]]:
    """What a policy would match if it were set, and for what of that it would be the one that counts."""
    there = governed.operator_policies if policy.operator else governed.policies
    others = [each for each in there.all() if each.name != policy.name]
    matching = [thing for thing in things_of(governed) if policy.matches(thing)]
    return matching, [thing for thing in matching if best([*others, policy], thing) is policy]
