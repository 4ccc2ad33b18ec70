"""`amq set`: make something as it shall be, whether it is there or not."""

from collections.abc import Callable
from typing import Any, Final

import click

from amq.cli import exits, given
from amq.cli.ask.broker import path
from amq.cli.ask.command import Function, Session, asking
from amq.cli.ask.completing import (
    complete_exchanges,
    complete_operator_policies,
    complete_policies,
    complete_users,
    complete_vhosts,
)
from amq.cli.exits import CommandError

Decorator = Callable[[Function], Function]


@click.group("set", help="Set permissions, policies, parameters, limits; change users and vhosts.")
def command() -> None:
    """What is to be set says the next argument."""


def _together(*options: Decorator) -> Decorator:
    def decorate(function: Function) -> Function:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate


USER_OPTIONS: Final = _together(
    click.option(
        "-T",
        "--tag",
        "tags",
        metavar="TAG",
        multiple=True,
        help="administrator, monitoring, policymaker, management or another; may be given several times",
    ),
    click.option("--password-hash", metavar="HASH", help="a hash instead of a password, as amq hash-password makes it"),
    click.option(
        "--hashing-algorithm", metavar="NAME", help="that of the hash, such as rabbit_password_hashing_sha256"
    ),
    click.option("--no-password", is_flag=True, help="nobody can log in with a password"),
)
VHOST_OPTIONS: Final = _together(
    click.option("--description", metavar="TEXT", help="for people"),
    click.option("-T", "--tag", "tags", metavar="TAG", multiple=True, help="may be given several times"),
    click.option("--default-queue-type", metavar="TYPE", help="of queues that are declared without one"),
    click.option("--tracing/--no-tracing", default=None, help="whether amq.rabbitmq.trace gets a copy of each message"),
)


def secret(password: str | None, options: dict[str, Any]) -> dict[str, Any]:
    """The part of a user's body that is about its password; {} when nothing was said of it."""
    hashed = options["password_hash"]
    if (password is not None) + (hashed is not None) + options["no_password"] > 1:
        raise CommandError(exits.USAGE, "one of PASSWORD, --password-hash and --no-password is allowed")
    if options["no_password"]:
        return {"password_hash": ""}
    if hashed is not None:
        algorithm = options["hashing_algorithm"]
        return {"password_hash": hashed, **({"hashing_algorithm": algorithm} if algorithm else {})}
    return {} if password is None else {"password": password}


def vhost_body(before: dict[str, Any], options: dict[str, Any]) -> dict[str, Any]:
    """A vhost's body: what was said, and else what was before."""
    body: dict[str, Any] = {
        name: before[name] for name in ("description", "tags", "default_queue_type", "tracing") if name in before
    }
    for name in ("description", "default_queue_type", "tracing"):
        if options[name] is not None:
            body[name] = options[name]
    if options["tags"]:
        body["tags"] = ",".join(options["tags"])
    elif isinstance(body.get("tags"), list):
        body["tags"] = ",".join(body["tags"])
    return {name: each for name, each in body.items() if each is not None and each != "undefined"}


@asking(
    command,
    "user",
    "change a user's password or tags",
    more="What is not mentioned stays; --tag '' takes all tags away. With - as PASSWORD it is asked for, or read from "
    "the first line of stdin.",
)
@click.argument("name", shell_complete=complete_users)
@click.argument("password", required=False)
@USER_OPTIONS
def user(session: Session, name: str, password: str | None, **options: Any) -> None:
    """Change a user that is there."""
    before = session.broker.get(path("users", name))
    body = secret(given.password() if password == "-" else password, options)
    if not body:
        body = {"password_hash": before["password_hash"], "hashing_algorithm": before["hashing_algorithm"]}
    tags = [tag for tag in options["tags"] if tag] if options["tags"] else before["tags"]
    session.broker.put(path("users", name), {**body, "tags": tags if isinstance(tags, str) else ",".join(tags)})
    session.out.say(f"user '{name}' changed")


@asking(command, "vhost", "change a vhost", more="What is not mentioned stays.")
@click.argument("name", shell_complete=complete_vhosts)
@VHOST_OPTIONS
def vhost(session: Session, name: str, **options: Any) -> None:
    """Change a vhost that is there."""
    before = session.broker.get(path("vhosts", name))
    session.broker.put(path("vhosts", name), vhost_body(before, options))
    session.out.say(f"vhost '{name}' changed")


@asking(
    command,
    "permissions",
    "allow a user what it may do in a vhost",
    vhost=True,
    more="Each is a regular expression of names: of what the user may CONFIGURE, WRITE to and READ from.",
)
@click.argument("user", shell_complete=complete_users)
@click.argument("configure")
@click.argument("write")
@click.argument("read")
def permissions(session: Session, user: str, configure: str, write: str, read: str) -> None:
    """Set all three."""
    body = {"configure": configure, "write": write, "read": read}
    session.broker.put(path("permissions", session.in_vhost, user), body)
    session.out.say(f"permissions of user '{user}' in vhost '{session.in_vhost}' set")


@asking(command, "topic-permissions", "allow a user the routing keys of a topic exchange", vhost=True)
@click.argument("user", shell_complete=complete_users)
@click.argument("exchange", shell_complete=complete_exchanges)
@click.argument("write")
@click.argument("read")
def topic_permissions(session: Session, user: str, exchange: str, write: str, read: str) -> None:
    """Set both."""
    body = {"exchange": exchange, "write": write, "read": read}
    session.broker.put(path("topic-permissions", session.in_vhost, user), body)
    session.out.say(f"permissions of user '{user}' for '{exchange}' in vhost '{session.in_vhost}' set")


def _policy(kind: str, where: str, purpose: str, complete: Any) -> None:
    @asking(
        command,
        kind,
        purpose,
        vhost=True,
        table=True,
        more='PATTERN is a regular expression of names, DEFINITION a JSON object such as {"max-length": 10}.',
    )
    @click.argument("name", shell_complete=complete)
    @click.argument("pattern")
    @click.argument("definition")
    @click.option(
        "--apply-to",
        metavar="KIND",
        default="queues" if kind == "operator-policy" else "all",
        help="queues, exchanges, all, classic_queues, quorum_queues, streams",
    )
    @click.option("--priority", metavar="N", type=int, default=0, help="the one of the highest counts (0)")
    @click.option("--preview", is_flag=True, help="set nothing: list what it would match, and what would come of it")
    def function(
        session: Session, name: str, pattern: str, definition: str, apply_to: str, priority: int, preview: bool
    ) -> None:
        body = {
            "pattern": pattern,
            "definition": given.json_object(definition, "DEFINITION"),
            "apply-to": apply_to,
            "priority": priority,
        }
        if preview:
            _preview(
                session, session.broker.post(path("amq", where, session.in_vhost, "preview"), {"name": name, **body})
            )
            return
        session.broker.put(path(where, session.in_vhost, name), body)
        session.out.say(f"{kind.replace('-', ' ')} '{name}' in vhost '{session.in_vhost}' set")


def _preview(session: Session, found: dict[str, Any]) -> None:
    """What a policy would match, and whether it would be the one that counts there."""
    rows = [
        {"kind": kind, **{name: row[name] for name in ("name", "wins", "effective_policy_definition", "would_be")}}
        for kind, plural in (("queue", "queues"), ("exchange", "exchanges"))
        for row in found[plural]
    ]
    session.out.rows(rows, ("kind", "name", "wins", "effective_policy_definition", "would_be"))
    matched, listed = sum(found["matched"].values()), len(rows)
    if listed < matched:
        session.out.say(f"... {matched - listed} more")


_policy("policy", "policies", "set a policy for queues and exchanges", complete_policies)
_policy("operator-policy", "operator-policies", "set a policy that others cannot exceed", complete_operator_policies)


@asking(command, "parameter", "set a parameter of a component", vhost=True, more="VALUE is JSON.")
@click.argument("component")
@click.argument("name")
@click.argument("value")
def parameter(session: Session, component: str, name: str, value: str) -> None:
    """Set it."""
    body = {"value": given.json_value(value, "VALUE")}
    session.broker.put(path("parameters", component, session.in_vhost, name), body)
    session.out.say(f"parameter '{name}' of {component} in vhost '{session.in_vhost}' set")


@asking(command, "global-parameter", "set a global parameter", more="VALUE is JSON.")
@click.argument("name")
@click.argument("value")
def global_parameter(session: Session, name: str, value: str) -> None:
    """Set it."""
    session.broker.put(path("global-parameters", name), {"value": given.json_value(value, "VALUE")})
    session.out.say(f"global parameter '{name}' set")


@asking(command, "vhost-limit", "limit a vhost", vhost=True)
@click.argument("limit", type=click.Choice(["max-connections", "max-queues"]))
@click.argument("value", type=int)
def vhost_limit(session: Session, limit: str, value: int) -> None:
    """Set it; a negative number is no limit."""
    session.broker.put(path("vhost-limits", session.in_vhost, limit), {"value": value})
    session.out.say(f"{limit} of vhost '{session.in_vhost}' set")


@asking(command, "user-limit", "limit a user")
@click.argument("user", shell_complete=complete_users)
@click.argument("limit", type=click.Choice(["max-connections", "max-channels"]))
@click.argument("value", type=int)
def user_limit(session: Session, user: str, limit: str, value: int) -> None:
    """Set it; a negative number is no limit."""
    session.broker.put(path("user-limits", user, limit), {"value": value})
    session.out.say(f"{limit} of user '{user}' set")


@asking(command, "feature-flag", "enable a feature flag")
@click.argument("name")
def feature_flag(session: Session, name: str) -> None:
    """Enable it."""
    session.broker.put(path("feature-flags", name, "enable"), {"name": name})
    session.out.say(f"feature flag '{name}' enabled")


@asking(command, "cluster-name", "give the broker a name for people")
@click.argument("name")
def cluster_name(session: Session, name: str) -> None:
    """Set it."""
    session.broker.put("cluster-name", {"name": name})
    session.out.say(f"the cluster is '{name}' now")
