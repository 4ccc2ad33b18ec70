"""rabbitmqctl: virtual hosts."""

from collections.abc import Callable
from typing import Any, Final

from amq.cli import exits
from amq.cli.ask.broker import Refused, path
from amq.cli.ctl.results import Result, Rows, VerbError
from amq.cli.ctl.terms import Tags
from amq.cli.ctl.users import BOTH
from amq.cli.ctl.verb import BadArguments, Call, Verb

COLUMNS: Final[dict[str, Callable[[dict[str, Any]], Any]]] = {
    "name": lambda row: row["name"],
    "tracing": lambda row: row.get("tracing", False),
    "default_queue_type": lambda row: row.get("default_queue_type"),
    "description": lambda row: row.get("description", ""),
    "tags": lambda row: _tags(row),
    "cluster_state": lambda row: row.get("cluster_state"),
}


def _tags(row: dict[str, Any]) -> Tags:
    tags = row.get("tags") or []
    return Tags(tags.split(",") if isinstance(tags, str) else tags)


def add_vhost(call: Call) -> Result:
    """Make one; one that is there is left as it is."""
    (name,) = call.arguments
    call.say(f'Adding vhost "{name}" ...')
    named = {"description": "description", "tags": "tags", "default-queue-type": "default_queue_type"}
    body = {field: call.options[option] for option, field in named.items() if option in call.options}
    if body or not call.exists("vhosts", name):
        _put(call, name, body)
    return None


def _put(call: Call, name: str, body: dict[str, Any]) -> None:
    try:
        call.broker.put(path("vhosts", name), body)
    except Refused as refused:
        raise VerbError(exits.UNAVAILABLE, str(refused)) from None


def delete_vhost(call: Call) -> Result:
    """Delete one."""
    (name,) = call.arguments
    call.say(f'Deleting vhost "{name}" ...')
    if not call.exists("vhosts", name):
        raise VerbError(exits.DATA, f"Virtual host '{name}' does not exist", bare=True)
    call.broker.delete(path("vhosts", name))
    return None


def _before(call: Call, name: str, missing: str, *, bare: bool) -> dict[str, Any]:
    """The body that leaves a vhost as it is."""
    try:
        row = call.broker.get(path("vhosts", name))
    except Refused as refused:
        if refused.code != 404:
            raise
        raise VerbError(exits.DATA, missing, bare=bare) from None
    body = {
        "description": row.get("description", ""),
        "tags": ",".join(_tags(row)),
        "tracing": row.get("tracing", False),
    }
    kind = row.get("default_queue_type")
    return body if kind in {None, "undefined"} else {**body, "default_queue_type": kind}


def set_vhost_tags(call: Call) -> Result:
    """Set all tags."""
    name, *tags = call.arguments
    call.say(f'Setting tags for virtual host "{name}" to [{", ".join(tags)}] ...')
    body = _before(call, name, f'Virtual host "{name}" does not exist', bare=False)
    _put(call, name, {**body, "tags": ",".join(tags)})
    return None


def update_vhost_metadata(call: Call) -> Result:
    """Change the description, tags or default queue type."""
    (name,) = call.arguments
    call.say(f'Updating metadata of vhost "{name}" ...')
    body = _before(call, name, f"Virtual host '{name}' does not exist", bare=True)
    named = {"description": "description", "tags": "tags", "default-queue-type": "default_queue_type"}
    body |= {field: call.options[option] for option, field in named.items() if option in call.options}
    _put(call, name, body)
    return None


def list_vhosts(call: Call) -> Result:
    """Names, or the columns that are named."""
    wanted = columns(call, COLUMNS, ("name",))
    call.say("Listing vhosts ...")
    return Rows(wanted, [[COLUMNS[name](row) for name in wanted] for row in call.rows("vhosts")])


def columns(call: Call, known: dict[str, Any], default: tuple[str, ...]) -> tuple[str, ...]:
    """The columns that are named, with spaces or commas between them. Raises BadArguments for what is no column."""
    named = tuple(name for argument in call.arguments for name in argument.split(",") if name)
    wrong = [name for name in named if name not in known]
    if wrong:
        raise BadArguments(f"Info key(s) {','.join(wrong)} are not supported")
    return named or default


def _trace(call: Call, on: bool) -> Result:
    call.say(f'{"Starting" if on else "Stopping"} tracing for vhost "{call.vhost}" ...')
    body = _before(call, call.vhost, f"Virtual host '{call.vhost}' does not exist", bare=True)
    _put(call, call.vhost, {**body, "tracing": on})
    return f"Trace {'enabled' if on else 'disabled'} for vhost {call.vhost}"


def trace_on(call: Call) -> Result:
    """Copies of all messages to amq.rabbitmq.trace."""
    return _trace(call, True)


def trace_off(call: Call) -> Result:
    """No more of them."""
    return _trace(call, False)


METADATA: Final = {"description": str, "tags": str, "default-queue-type": str}
VERBS: Final = (
    Verb(
        "add_vhost",
        '<vhost> [--description <description> --tags "<tag1>,<tag2>,<...>" '
        "--default-queue-type <quorum|classic|stream>]",
        "creates a virtual host",
        add_vhost,
        1,
        1,
        METADATA,
    ),
    Verb("delete_vhost", "<vhost>", "deletes a virtual host", delete_vhost, 1, 1),
    Verb(
        "list_vhosts",
        "[--no-table-headers] [<column> ...] [--timeout <timeout>]",
        "lists virtual hosts",
        list_vhosts,
        0,
        None,
        tools=BOTH,
    ),
    Verb("set_vhost_tags", "<vhost> <tag> [...]", "sets a virtual host's tags", set_vhost_tags, 1, None),
    Verb(
        "update_vhost_metadata",
        '<vhost> [--description <description>] [--tags "<tag1>,<tag2>,<...>"] '
        "[--default-queue-type <quorum|classic|stream>]",
        "changes what describes a virtual host",
        update_vhost_metadata,
        1,
        1,
        METADATA,
    ),
    Verb("trace_off", "[--vhost <vhost>]", "ends tracing", trace_off),
    Verb("trace_on", "[--vhost <vhost>]", "copies all messages to amq.rabbitmq.trace", trace_on),
)
