"""rabbitmqctl: users, and what they may do."""

import sys
from typing import Any, Final

from amq.cli import exits
from amq.cli.ask.broker import Broker, Refused, path
from amq.cli.ask.target import Target
from amq.cli.ctl.results import Result, Rows, VerbError
from amq.cli.ctl.terms import Tags
from amq.cli.ctl.verb import CTL, DIAGNOSTICS, Call, Verb, need_vhost

BOTH: Final = (CTL, DIAGNOSTICS)


def _found(call: Call, name: str) -> dict[str, Any]:
    try:
        user: dict[str, Any] = call.broker.get(path("users", name))
    except Refused as refused:
        if refused.code != 404:
            raise
        raise VerbError(exits.NO_USER, f'User "{name}" does not exist') from None
    return user


def _need(call: Call, name: str) -> None:
    """For commands that fail as those do that look a user up on the way."""
    if not call.exists("users", name):
        raise VerbError(exits.UNAVAILABLE, f'{{:no_such_user, "{name}"}}')


def _tags(user: dict[str, Any]) -> Tags:
    tags = user.get("tags") or []
    return Tags(tags.split(",") if isinstance(tags, str) else tags)


def _put(call: Call, name: str, body: dict[str, Any]) -> None:
    try:
        call.broker.put(path("users", name), body)
    except Refused as refused:
        raise VerbError(exits.DATA, str(refused)) from None


def _password(call: Call) -> str:
    if len(call.arguments) > 1:
        return call.arguments[1]
    if not call.silent:
        print("Password: ", flush=True)
    line = sys.stdin.readline().rstrip("\r\n")
    if not line:
        raise VerbError(exits.DATA, "Password is not provided via argument or stdin")
    return line


def add_user(call: Call) -> Result:
    """Make one that is not there."""
    name = call.arguments[0]
    call.say(f'Adding user "{name}" ...')
    hashed = call.options.get("pre-hashed-password", False)
    secret = _password(call)
    if call.exists("users", name):
        raise VerbError(exits.SOFTWARE, f'User "{name}" already exists')
    _put(call, name, {"password_hash" if hashed else "password": secret, "tags": ""})
    if call.silent:
        return None
    return (
        "Done. Don't forget to grant the user permissions to some virtual hosts! "
        "See 'rabbitmqctl help set_permissions' to learn more."
    )


def delete_user(call: Call) -> Result:
    """Delete one."""
    (name,) = call.arguments
    call.say(f'Deleting user "{name}" ...')
    _found(call, name)
    call.broker.delete(path("users", name))
    return None


def change_password(call: Call) -> Result:
    """Keep the tags, change the password."""
    name = call.arguments[0]
    call.say(f'Changing password for user "{name}" ...')
    secret = _password(call)
    tags = _tags(_found(call, name))
    _put(call, name, {"password": secret, "tags": ",".join(tags)})
    return None


def clear_password(call: Call) -> Result:
    """Nobody can log in with a password any more."""
    (name,) = call.arguments
    call.say(f'Clearing password for user "{name}" ...')
    _need(call, name)
    _put(call, name, {"password_hash": "", "tags": ",".join(_tags(_found(call, name)))})
    return None


def authenticate_user(call: Call) -> Result:
    """Whether a password is right."""
    name = call.arguments[0]
    call.say(f'Authenticating user "{name}" ...')
    target = call.broker.target
    probe = Broker(Target(*_http(call), None, name, _password(call)), call.broker.tls, call.broker.seconds)
    try:
        probe.get("whoami")
    except Refused as refused:
        # Who may not use the HTTP API has shown the right password all the same.
        if refused.code == 401 and refused.error != "not_authorised":
            problem = f"Error: failed to authenticate user \"{name}\"\nuser '{name}' - invalid credentials"
            raise VerbError(exits.DATA, problem) from None
        if refused.code != 401:
            raise VerbError(exits.UNAVAILABLE, f"{target.shown}: {refused}") from None
    finally:
        probe.close()
    return "Success"


def _http(call: Call) -> tuple[str, str]:
    """Where passwords are looked at: never at the socket, which lets its owner in without one."""
    target = call.broker.target
    if target.socket is None:
        return target.base, target.shown
    for listener in call.overview["listeners"]:
        if listener["protocol"] in {"http", "https"}:
            address = listener["ip_address"]
            host = {"::": "[::1]", "0.0.0.0": "127.0.0.1"}.get(address, f"[{address}]" if ":" in address else address)
            base = f"{listener['protocol']}://{host}:{listener['port']}"
            return base, base
    raise VerbError(exits.UNAVAILABLE, "the broker has no listener for its HTTP API")


def set_user_tags(call: Call) -> Result:
    """Set all tags."""
    name, *tags = call.arguments
    call.say(f'Setting tags for user "{name}" to [{", ".join(tags)}] ...')
    user = _found(call, name)
    body: dict[str, Any] = {field: user[field] for field in ("password_hash", "hashing_algorithm") if field in user}
    _put(call, name, {**body, "tags": ",".join(tags)})
    return None


def list_users(call: Call) -> Result:
    """Names and tags."""
    call.say("Listing users ...")
    return Rows(("user", "tags"), [(user["name"], _tags(user)) for user in call.rows("users")])


# -- permissions --


def _need_both(call: Call, user: str) -> None:
    if not call.exists("vhosts", call.vhost):
        raise VerbError(exits.UNAVAILABLE, f"Virtual host {call.vhost} does not exist")
    if not call.exists("users", user):
        raise VerbError(exits.NO_USER, f"User {user} does not exist")


def _permit(call: Call, where: str, user: str, body: dict[str, str]) -> None:
    _need_both(call, user)
    try:
        call.broker.put(path(where, call.vhost, user), body)
    except Refused as refused:
        raise VerbError(exits.UNAVAILABLE, str(refused)) from None


def set_permissions(call: Call) -> Result:
    """All three."""
    user, configure, write, read = call.arguments
    call.say(f'Setting permissions for user "{user}" in vhost "{call.vhost}" ...')
    _permit(call, "permissions", user, {"configure": configure, "write": write, "read": read})
    return None


def _clear(call: Call, *where: str) -> None:
    try:
        call.broker.delete(path(*where))
    except Refused as refused:
        # What is not there is cleared.
        if refused.code != 404:
            raise


def clear_permissions(call: Call) -> Result:
    """All three."""
    (user,) = call.arguments
    call.say(f'Clearing permissions for user "{user}" in vhost "{call.vhost}" ...')
    _need_both(call, user)
    _clear(call, "permissions", call.vhost, user)
    return None


def list_permissions(call: Call) -> Result:
    """Of a vhost."""
    call.say(f'Listing permissions for vhost "{call.vhost}" ...')
    need_vhost(call)
    rows = [row for row in call.rows("permissions") if row["vhost"] == call.vhost]
    return _rows(rows, "user", "configure", "write", "read")


def list_user_permissions(call: Call) -> Result:
    """Of a user."""
    (user,) = call.arguments
    call.say(f'Listing permissions for user "{user}" ...')
    _need(call, user)
    return _rows(call.rows("users", user, "permissions"), "vhost", "configure", "write", "read")


def set_topic_permissions(call: Call) -> Result:
    """Both."""
    user, exchange, write, read = call.arguments
    call.say(f'Setting topic permissions on "{exchange}" for user "{user}" in vhost "{call.vhost}" ...')
    _permit(call, "topic-permissions", user, {"exchange": exchange, "write": write, "read": read})
    return None


def clear_topic_permissions(call: Call) -> Result:
    """Of an exchange, or all."""
    user, *exchange = call.arguments
    on = f' on "{exchange[0]}"' if exchange else ""
    call.say(f'Clearing topic permissions{on} for user "{user}" in vhost "{call.vhost}" ...')
    _need_both(call, user)
    _clear(call, "topic-permissions", call.vhost, user, *exchange)
    return None


def list_topic_permissions(call: Call) -> Result:
    """Of a vhost."""
    call.say(f'Listing topic permissions for vhost "{call.vhost}" ...')
    need_vhost(call)
    rows = [row for row in call.rows("topic-permissions") if row["vhost"] == call.vhost]
    return _rows(rows, "user", "exchange", "write", "read")


def list_user_topic_permissions(call: Call) -> Result:
    """Of a user."""
    (user,) = call.arguments
    call.say(f'Listing topic permissions for user "{user}" ...')
    _need(call, user)
    rows = _rows(call.rows("users", user, "topic-permissions"), "vhost", "exchange", "write", "read")
    # The real one has no header here.
    return Rows(rows.columns, rows.rows, stream=False, header=False)


def _rows(rows: list[dict[str, Any]], *columns: str) -> Rows:
    return Rows(columns, [[row.get(column, "") for column in columns] for row in rows], stream=False)


VERBS: Final = (
    Verb(
        "add_user",
        "<username> <password>",
        "creates a user, without permissions",
        add_user,
        1,
        2,
        {"pre-hashed-password": bool},
    ),
    Verb("authenticate_user", "<username> <password>", "tries a password", authenticate_user, 1, 2),
    Verb("change_password", "<username> <password>", "changes a password", change_password, 1, 2),
    Verb("clear_password", "<username>", "lets nobody log in with a password", clear_password, 1, 1),
    Verb("delete_user", "<username>", "deletes a user", delete_user, 1, 1),
    Verb("list_users", "[--no-table-headers] [--timeout <timeout>]", "lists users and tags", list_users, tools=BOTH),
    Verb("set_user_tags", "<username> <tag> [...]", "sets a user's tags", set_user_tags, 1, None),
    Verb("clear_permissions", "[--vhost <vhost>] <username>", "takes permissions away", clear_permissions, 1, 1),
    Verb(
        "clear_topic_permissions",
        "[--vhost <vhost>] <username> [<exchange>]",
        "takes topic permissions away",
        clear_topic_permissions,
        1,
        2,
    ),
    Verb(
        "list_permissions",
        "[--vhost <vhost>] [--no-table-headers] [--timeout <timeout>]",
        "lists permissions in a vhost",
        list_permissions,
        tools=BOTH,
    ),
    Verb(
        "list_topic_permissions",
        "[--vhost <vhost>] [--no-table-headers] [--timeout <timeout>]",
        "lists topic permissions in a vhost",
        list_topic_permissions,
        tools=BOTH,
    ),
    Verb(
        "list_user_permissions",
        "[--no-table-headers] <username> [--timeout <timeout>]",
        "lists a user's permissions",
        list_user_permissions,
        1,
        1,
        tools=BOTH,
    ),
    Verb(
        "list_user_topic_permissions",
        "[--no-table-headers] <username> [--timeout <timeout>]",
        "lists a user's topic permissions",
        list_user_topic_permissions,
        1,
        1,
        tools=BOTH,
    ),
    Verb(
        "set_permissions",
        "[--vhost <vhost>] <username> <conf> <write> <read>",
        "sets permissions",
        set_permissions,
        4,
        4,
    ),
    Verb(
        "set_topic_permissions",
        "[--vhost <vhost>] <username> <exchange> <write> <read>",
        "sets topic permissions",
        set_topic_permissions,
        4,
        4,
    ),
)
