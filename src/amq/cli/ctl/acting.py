"""rabbitmqctl: purges, deletions, closed connections, definitions, feature flags."""

import json
import re
import sys
import time
from pathlib import Path
from typing import Any, Final

from amq.cli import exits
from amq.cli.ask.broker import Refused, path
from amq.cli.ctl.listings import connection_pid
from amq.cli.ctl.results import Result, Rows, VerbError
from amq.cli.ctl.terms import Atom
from amq.cli.ctl.users import BOTH
from amq.cli.ctl.verb import BadArguments, Call, Verb
from amq.cli.ctl.vhosts import columns

PID: Final = re.compile(r"<.+\.\d+\.\d+\.\d+>")
FLAG: Final = ("name", "state", "stability", "provided_by", "desc", "doc_url")


def purge_queue(call: Call) -> Result:
    """Drop what is ready."""
    (name,) = call.arguments
    call.say(f"Purging queue '{name}' in vhost '{call.vhost}' ...")
    try:
        call.broker.delete(path("queues", call.vhost, name, "contents"))
    except Refused as refused:
        problem = "not_found" if refused.code == 404 else str(refused)
        raise VerbError(exits.UNAVAILABLE, problem) from None
    return None


def delete_queue(call: Call) -> Result:
    """Delete it with what is in it."""
    (name,) = call.arguments
    empty, unused = bool(call.options.get("if-empty")), bool(call.options.get("if-unused"))
    conditions = [word for word, asked in (("empty", empty), ("unused", unused)) if asked]
    only = f" if queue is {' and '.join(conditions)}" if conditions else ""
    call.say(f"Deleting queue '{name}' on vhost '{call.vhost}'{only} ...")
    where = path("queues", call.vhost, name)
    try:
        row = call.broker.get(where)
        call.broker.delete(where, {f"if-{word}": "true" for word in conditions})
    except Refused as refused:
        raise VerbError(exits.USAGE, _why_not(refused)) from None
    return f"Queue was successfully deleted with {row.get('messages_ready', 0)} ready messages"


def _why_not(refused: Refused) -> str:
    if refused.code == 404:
        return "Queue not found"
    text = str(refused)
    if "in use" in text:
        return "Queue is in use"
    return "Queue is not empty" if "not empty" in text else text


# -- connections --


def close_connection(call: Call) -> Result:
    """By its pid, as list_connections shows it, or its name. One that is gone is closed already."""
    wanted, reason = call.arguments
    call.say(f"Closing connection {wanted}, reason: {reason}...")
    node = call.node
    names = [row["name"] for row in call.rows("connections")]
    found = [name for name in names if wanted in {name, connection_pid(name, node)}]
    if not found and not PID.fullmatch(wanted):
        raise VerbError(exits.UNAVAILABLE, f'Error:\n{{:invalid_pid_syntax, "{wanted}"}}')
    _close(call, found, reason)
    return None


def _close(call: Call, names: list[str], reason: str, delay: float = 0.0) -> int:
    closed = 0
    for name in names:
        try:
            call.broker.delete(path("connections", name), reason=reason)
        except Refused as refused:
            # It has closed by itself meanwhile.
            if refused.code != 404:
                raise
        else:
            closed += 1
        time.sleep(delay)
    return closed


def close_all_connections(call: Call) -> Result:
    """Of a vhost, or with --global all."""
    (reason,) = call.arguments
    everywhere = bool(call.options.get("global"))
    if everywhere:
        call.say(f"Closing all connections to node {call.node} (with global option), reason: {reason}...")
        rows = call.rows("connections")
    else:
        call.say(f"Closing all connections in vhost {call.vhost}, reason: {reason}...")
        rows = call.rows("vhosts", call.vhost, "connections")
    names = [row["name"] for row in rows]
    limit = call.options.get("limit", 0)
    delay = call.options.get("per-connection-delay", 0) / 1000
    return f"Closed {_close(call, names[:limit] if limit else names, reason, delay)} connections"


def close_all_user_connections(call: Call) -> Result:
    """Of a user."""
    user, reason = call.arguments
    call.say(f"Closing connections of user {user}, reason: {reason}...")
    _close(call, [row["name"] for row in call.rows("connections") if row.get("user") == user], reason)
    return None


# -- definitions --


def _json_only(call: Call) -> None:
    if call.options.get("format", "json").lower() != "json":
        raise BadArguments("Bad argument: Format should be json", exits.DATA)


def export_definitions(call: Call) -> Result:
    """All there is, into a file or to stdout."""
    (where,) = call.arguments
    _json_only(call)
    if where == "-":
        return json.dumps(call.broker.get("definitions"), separators=(",", ":"), ensure_ascii=False)
    target = Path(where)
    if not target.parent.exists():
        raise BadArguments(f"Bad argument: Directory {target.parent} does not exist", exits.DATA)
    call.say(f'Exporting definitions in JSON to a file at "{where}" ...')
    try:
        target.write_text(json.dumps(call.broker.get("definitions"), separators=(",", ":"), ensure_ascii=False))
    except OSError as error:
        raise VerbError(exits.CANNOT_WRITE, f"{where}: {error.strerror or error}") from None
    return None


def import_definitions(call: Call) -> Result:
    """A document out of a file, or from stdin. It is imported when this ends."""
    _json_only(call)
    where = call.arguments[0] if call.arguments else "-"
    if where == "-":
        call.say("Importing definitions in JSON from standard input ...")
        text = sys.stdin.read()
    else:
        if not Path(where).exists():
            raise BadArguments(f"Bad argument: File {where} does not exist", exits.DATA)
        call.say(f'Importing definitions in JSON from a file at "{where}" ...')
        try:
            text = Path(where).read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise VerbError(exits.DATA, f"{where}: {error}") from None
    try:
        document: Any = json.loads(text)
    except ValueError as error:
        raise VerbError(exits.DATA, f"Failed to deserialise input (format: JSON) (error: {error})") from None
    try:
        call.broker.post("definitions", document)
    except Refused as refused:
        raise VerbError(exits.UNAVAILABLE, str(refused)) from None
    return "Successfully started definition import. This process is asynchronous and can take some time."


# -- feature flags --


def list_feature_flags(call: Call) -> Result:
    """All of them."""
    wanted = columns(call, dict.fromkeys(FLAG), ("name", "state"))
    call.say("Listing feature flags ...")
    atoms = {"name", "state", "stability", "provided_by"}
    rows = [
        [Atom(row.get(name, "")) if name in atoms else row.get(name, "") for name in wanted]
        for row in call.rows("feature-flags")
    ]
    return Rows(wanted, rows)


def enable_feature_flag(call: Call) -> Result:
    """One, or all."""
    (name,) = call.arguments
    if name == "all":
        call.say("Enabling all feature flags ...")
        names = [row["name"] for row in call.rows("feature-flags") if row["state"] != "enabled"]
    else:
        call.say(f'Enabling feature flag "{name}" ...')
        names = [name]
    for each in names:
        try:
            call.broker.put(path("feature-flags", each, "enable"), {"name": each})
        except Refused:
            raise VerbError(exits.USAGE, f"This feature flag is not supported by node {call.node}") from None
    return None


def list_deprecated_features(call: Call) -> Result:
    """All that the broker knows."""
    call.say("Listing deprecated features ...")
    rows = call.rows("deprecated-features", *(["used"] if call.options.get("used") else []))
    return Rows(
        ("name", "deprecation_phase"), [(Atom(row["name"]), Atom(row.get("deprecation_phase", ""))) for row in rows]
    )


VERBS: Final = (
    Verb("purge_queue", "<queue> [--timeout <timeout>]", "drops the messages of a queue", purge_queue, 1, 1),
    Verb(
        "delete_queue",
        "<queue_name> [--if-empty|-e] [--if-unused|-u] [--timeout <timeout>]",
        "deletes a queue",
        delete_queue,
        1,
        1,
        {"if-empty": bool, "if-unused": bool},
        {"e": "if-empty", "u": "if-unused"},
    ),
    Verb(
        "close_all_connections",
        "[--vhost <vhost> --limit <limit>] [-n <node> --global] [--per-connection-delay <delay>] <explanation>",
        "closes all connections of a vhost, or all",
        close_all_connections,
        1,
        1,
        {"global": bool, "limit": int, "per-connection-delay": int},
    ),
    Verb(
        "close_all_user_connections",
        "<username> <explanation>",
        "closes all connections of a user",
        close_all_user_connections,
        2,
        2,
    ),
    Verb("close_connection", "<connection pid> <explanation>", "closes a connection", close_connection, 2, 2),
    Verb(
        "export_definitions",
        '<file_path | "-"> [--format <json | erlang>] [--timeout <timeout>]',
        "writes the definitions into a file",
        export_definitions,
        1,
        1,
        {"format": str},
    ),
    Verb(
        "import_definitions",
        '<file_path | "-"> [--format <json | erlang>] [--skip-if-unchanged] [--timeout <timeout>]',
        "imports definitions from a file",
        import_definitions,
        0,
        1,
        {"format": str, "skip-if-unchanged": bool},
    ),
    Verb("enable_feature_flag", "<all | feature_flag>", "enables a feature flag", enable_feature_flag, 1, 1),
    Verb(
        "list_feature_flags",
        "[<column> ...] [--timeout <timeout>]",
        "lists feature flags",
        list_feature_flags,
        0,
        None,
        tools=BOTH,
    ),
    Verb(
        "list_deprecated_features",
        "[--used] [--timeout <timeout>]",
        "lists deprecated features",
        list_deprecated_features,
        switches={"used": bool},
        tools=BOTH,
    ),
)
