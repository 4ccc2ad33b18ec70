"""rabbitmqctl: policies, parameters and limits."""

import json
from typing import Any, Final

from amq.cli import exits
from amq.cli.ask.broker import Refused, path
from amq.cli.ctl.results import Result, Rows, VerbError
from amq.cli.ctl.users import BOTH
from amq.cli.ctl.verb import Call, Verb, need_vhost

POLICY: Final = ("vhost", "name", "pattern", "apply-to", "definition", "priority")
LIST: Final = "[--vhost <vhost>] [--no-table-headers] [--timeout <timeout>]"


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        raise VerbError(exits.UNAVAILABLE, "JSON decoding error. Reason: badarg") from None


def _as_text(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, sort_keys=True)


def _put(call: Call, body: dict[str, Any], *where: str) -> None:
    try:
        call.broker.put(path(*where), body)
    except Refused as refused:
        raise VerbError(exits.UNAVAILABLE, _reason(refused)) from None


def _reason(refused: Refused) -> str:
    """A refusal of a parameter as the real one prints it, in paragraphs."""
    head, colon, rest = str(refused).partition(": ")
    return f"{head}\n\n{rest}\n" if colon and head == "Validation failed" else str(refused)


def _delete(call: Call, *where: str) -> None:
    try:
        call.broker.delete(path(*where))
    except Refused as refused:
        if refused.code != 404:
            raise
        raise VerbError(exits.UNAVAILABLE, "Parameter does not exist") from None


# -- policies --


def _set_policy(call: Call, where: str, kind: str) -> None:
    name, pattern, definition = call.arguments
    priority = call.options.get("priority", 0)
    call.say(
        f'Setting {kind} "{name}" for pattern "{pattern}" to "{definition}" with priority "{priority}" '
        f'for vhost "{call.vhost}" ...'
    )
    body = {
        "pattern": pattern,
        "definition": _json(definition),
        "priority": priority,
        "apply-to": call.options.get("apply-to", "all" if where == "policies" else "queues"),
    }
    need_vhost(call)
    _put(call, body, where, call.vhost, name)


def set_policy(call: Call) -> Result:
    """Set it."""
    _set_policy(call, "policies", "policy")
    return None


def set_operator_policy(call: Call) -> Result:
    """Set it."""
    _set_policy(call, "operator-policies", "operator policy override")
    return None


def clear_policy(call: Call) -> Result:
    """Delete it."""
    (name,) = call.arguments
    call.say(f'Clearing policy "{name}" on vhost "{call.vhost}" ...')
    _delete(call, "policies", call.vhost, name)
    return None


def clear_operator_policy(call: Call) -> Result:
    """Delete it."""
    (name,) = call.arguments
    call.say(f'Clearing operator policy "{name}" on vhost "{call.vhost}" ...')
    _delete(call, "operator-policies", call.vhost, name)
    return None


def _policies(call: Call, where: str) -> Rows:
    need_vhost(call)
    rows = [{**row, "definition": _as_text(row["definition"])} for row in call.rows(where, call.vhost)]
    return Rows(POLICY, [[row[column] for column in POLICY] for row in rows], stream=False)


def list_policies(call: Call) -> Result:
    """Of a vhost."""
    call.say(f'Listing policies for vhost "{call.vhost}" ...')
    return _policies(call, "policies")


def list_operator_policies(call: Call) -> Result:
    """Of a vhost."""
    call.say(f'Listing operator policy overrides for vhost "{call.vhost}" ...')
    return _policies(call, "operator-policies")


# -- parameters --


def set_parameter(call: Call) -> Result:
    """Set it."""
    component, name, value = call.arguments
    call.say(f'Setting runtime parameter "{name}" for component "{component}" to "{value}" in vhost "{call.vhost}" ...')
    parsed = _json(value)
    need_vhost(call)
    _put(call, {"value": parsed}, "parameters", component, call.vhost, name)
    return None


def clear_parameter(call: Call) -> Result:
    """Delete it."""
    component, name = call.arguments
    call.say(f'Clearing runtime parameter "{name}" for component "{component}" on vhost "{call.vhost}" ...')
    _delete(call, "parameters", component, call.vhost, name)
    return None


def list_parameters(call: Call) -> Result:
    """Of a vhost."""
    call.say(f'Listing runtime parameters for vhost "{call.vhost}" ...')
    need_vhost(call)
    rows = [row for row in call.rows("parameters") if row["vhost"] == call.vhost]
    found = [(row["component"], row["name"], _as_text(row["value"])) for row in rows]
    return Rows(("component", "name", "value"), found, stream=False)


def set_global_parameter(call: Call) -> Result:
    """Set it."""
    name, value = call.arguments
    call.say(f'Setting global runtime parameter "{name}" to "{value}" ...')
    _put(call, {"value": _json(value)}, "global-parameters", name)
    return None


def clear_global_parameter(call: Call) -> Result:
    """Delete it."""
    (name,) = call.arguments
    call.say(f'Clearing global runtime parameter "{name}" ...')
    _delete(call, "global-parameters", name)
    return None


def list_global_parameters(call: Call) -> Result:
    """All."""
    call.say("Listing global runtime parameters ...")
    rows = [(row["name"], _as_text(row["value"])) for row in call.rows("global-parameters")]
    return Rows(("name", "value"), rows, stream=False)


# -- limits --


def _limits(text: str) -> dict[str, Any]:
    found = _json(text)
    if not isinstance(found, dict):
        raise VerbError(exits.UNAVAILABLE, "JSON decoding error. Reason: badarg")
    return found


def set_vhost_limits(call: Call) -> Result:
    """Set those that are named; the others are no more."""
    (text,) = call.arguments
    call.say(f'Setting vhost limits to "{text}" for vhost "{call.vhost}" ...')
    found = _limits(text)
    need_vhost(call)
    _put(call, {"value": found}, "parameters", "vhost-limits", call.vhost, "limits")
    return None


def clear_vhost_limits(call: Call) -> Result:
    """No more limits."""
    call.say(f'Clearing vhost "{call.vhost}" limits ...')
    limits = _of(call.rows("vhost-limits"), "vhost", call.vhost)
    if not limits:
        raise VerbError(exits.UNAVAILABLE, "Parameter does not exist")
    for limit in limits:
        call.broker.delete(path("vhost-limits", call.vhost, limit))
    return None


def _of(rows: list[dict[str, Any]], kind: str, name: str) -> dict[str, Any]:
    return next((row["value"] for row in rows if row[kind] == name), {})


def list_vhost_limits(call: Call) -> Result:
    """Of a vhost, or of all."""
    if call.options.get("global"):
        call.say("Listing limits for all vhosts ...")
        rows = [(row["vhost"], _as_text(row["value"])) for row in call.rows("vhost-limits")]
        return Rows(("vhost", "limits"), rows, stream=False)
    call.say(f'Listing limits for vhost "{call.vhost}" ...')
    need_vhost(call)
    limits = _of(call.rows("vhost-limits"), "vhost", call.vhost)
    return _as_text(limits) if limits else Rows((), (), stream=False)


def _need_user(call: Call, user: str) -> None:
    if not call.exists("users", user):
        raise VerbError(exits.UNAVAILABLE, f'{{:no_such_user, "{user}"}}')


def set_user_limits(call: Call) -> Result:
    """Set those that are named."""
    user, text = call.arguments
    call.say(f'Setting user limits to "{text}" for user "{user}" ...')
    limits = _limits(text)
    _need_user(call, user)
    for limit, value in limits.items():
        _put(call, {"value": value}, "user-limits", user, limit)
    return None


def clear_user_limits(call: Call) -> Result:
    """One, or all."""
    user, limit = call.arguments
    if limit == "all":
        call.say(f'Clearing all limits for user "{user}" ...')
    else:
        call.say(f'Clearing "{limit}" limit for user "{user}" ...')
    _need_user(call, user)
    for each in _of(call.rows("user-limits"), "user", user):
        if limit in {"all", each}:
            call.broker.delete(path("user-limits", user, each))
    return None


def list_user_limits(call: Call) -> Result:
    """Of a user, or of all."""
    if call.options.get("global"):
        call.say("Listing limits for all users ...")
        rows = [(row["user"], _as_text(row["value"])) for row in call.rows("user-limits")]
        return Rows(("user", "limits"), rows, stream=False)
    user = call.options.get("user", "guest")
    call.say(f'Listing limits for user "{user}" ...')
    _need_user(call, user)
    return _as_text(_of(call.rows("user-limits"), "user", user))


SET_POLICY: Final = "[--vhost <vhost>] [--priority <priority>] [--apply-to <apply-to>] <name> <pattern> <definition>"
PRIORITY: Final = {"priority": int, "apply-to": str}
VERBS: Final = (
    Verb("clear_global_parameter", "<name>", "deletes a global parameter", clear_global_parameter, 1, 1),
    Verb("clear_parameter", "[--vhost <vhost>] <component_name> <name>", "deletes a parameter", clear_parameter, 2, 2),
    Verb(
        "list_global_parameters",
        "[--no-table-headers] [--timeout <timeout>]",
        "lists global parameters",
        list_global_parameters,
        tools=BOTH,
    ),
    Verb("list_parameters", LIST, "lists the parameters of a vhost", list_parameters, tools=BOTH),
    Verb("set_global_parameter", "<name> <value>", "sets a global parameter", set_global_parameter, 2, 2),
    Verb("set_parameter", "[--vhost <vhost>] <component_name> <name> <value>", "sets a parameter", set_parameter, 3, 3),
    Verb(
        "clear_operator_policy", "[--vhost <vhost>] <name>", "deletes an operator policy", clear_operator_policy, 1, 1
    ),
    Verb("clear_policy", "[--vhost <vhost>] <name>", "deletes a policy", clear_policy, 1, 1),
    Verb("list_operator_policies", LIST, "lists the operator policies of a vhost", list_operator_policies, tools=BOTH),
    Verb("list_policies", LIST, "lists the policies of a vhost", list_policies, tools=BOTH),
    Verb("set_operator_policy", SET_POLICY, "sets an operator policy", set_operator_policy, 3, 3, PRIORITY),
    Verb("set_policy", SET_POLICY, "sets a policy", set_policy, 3, 3, PRIORITY),
    Verb("clear_user_limits", "<username> <limit_type> | all", "deletes a user's limits", clear_user_limits, 2, 2),
    Verb("clear_vhost_limits", "[--vhost <vhost>]", "deletes a vhost's limits", clear_vhost_limits),
    Verb(
        "list_user_limits",
        "[--user <username>] [--global]",
        "lists users' limits",
        list_user_limits,
        switches={"user": str, "global": bool},
        tools=BOTH,
    ),
    Verb(
        "list_vhost_limits",
        "[--vhost <vhost>] [--global] [--no-table-headers]",
        "lists vhosts' limits",
        list_vhost_limits,
        switches={"global": bool},
        tools=BOTH,
    ),
    Verb("set_user_limits", "<username> <definition>", "limits a user", set_user_limits, 2, 2),
    Verb("set_vhost_limits", "[--vhost <vhost>] <definition>", "limits a vhost", set_vhost_limits, 1, 1),
)
