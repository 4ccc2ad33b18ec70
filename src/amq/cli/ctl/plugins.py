"""rabbitmq-plugins: what is a plugin in RabbitMQ and part of amq here, so that scripts find it enabled."""

import re
from typing import Final

from amq.cli import exits
from amq.cli.ctl.nodes import of_node
from amq.cli.ctl.results import Facts, Result, VerbError
from amq.cli.ctl.verb import PLUGINS, BadArguments, Call, Verb


def built_in(call: Call) -> list[str]:
    """What is always there, and cannot be switched off."""
    return sorted(of_node(call).get("enabled_plugins", []))


def list_plugins(call: Call) -> Result:
    """Those that are part of amq."""
    pattern = call.arguments[0] if call.arguments else ".*"
    try:
        names = [name for name in built_in(call) if re.search(pattern, name)]
    except re.error as error:
        raise BadArguments(f"Bad argument: pattern: {error}", exits.DATA) from None
    call.say(f'Listing plugins with pattern "{pattern}" ...')
    version = str(call.overview["rabbitmq_version"])
    facts = {
        "format": "minimal" if call.options.get("minimal") else "normal",
        "plugins": [
            {"enabled": "enabled", "name": name, "running": True, "running_version": version, "version": version}
            for name in names
        ],
    }
    if call.options.get("minimal"):
        return Facts(facts, "\n".join(names))
    legend = (
        f" Configured: E = explicitly enabled; e = implicitly enabled\n | Status: * = running on {call.node}\n |/\n"
    )
    width = max([len(name) for name in names], default=0)
    lines = []
    for name in names:
        if call.options.get("verbose"):
            lines += [f"[E*] {name}", f"     Version:     \t{version}"]
        else:
            lines.append(f"[E*] {name.ljust(width)} {version}")
    return Facts(facts, ("" if call.silent else legend) + "\n".join(lines))


def _known(call: Call) -> tuple[str, ...]:
    names = tuple(built_in(call)) if call.options.get("all") else call.arguments
    if not names:
        raise BadArguments("not enough arguments.")
    missing = sorted({*names} - {*built_in(call)})
    if missing:
        listed = ", ".join([f":{name}" for name in missing])
        raise VerbError(exits.SOFTWARE, f"{{:plugins_not_found, [{listed}]}}")
    return names


def enable(call: Call) -> Result:
    """Nothing is to be done for those that are there; others there are not."""
    names = tuple(built_in(call)) if call.options.get("all") else call.arguments
    call.say(f"Enabling plugins on node {call.node}:")
    call.say("\n".join(names))
    names = _known(call)
    listed = "\n".join([f"  {name}" for name in names])
    call.say(f"The following plugins have been configured:\n{listed}")
    call.say(f"Applying plugin configuration to {call.node}...")
    return "Plugin configuration unchanged."


def disable(call: Call) -> Result:
    """What is part of amq stays."""
    _known(call)
    call.say(f"Disabling plugins on node {call.node}:")
    raise VerbError(exits.UNAVAILABLE, "these are part of the broker: their listeners are closed by its configuration")


def is_enabled(call: Call) -> Result:
    """Whether all of them are there."""
    if not call.arguments:
        raise BadArguments("not enough arguments.")
    plural = "plugins" if len(call.arguments) > 1 else "plugin"
    listed = ", ".join(call.arguments)
    call.say(f"Asking node {call.node} if {plural} {listed} {'are' if plural == 'plugins' else 'is'} enabled...")
    there = built_in(call)
    missing = [name for name in call.arguments if name not in there]
    if missing:
        raise VerbError(
            exits.UNAVAILABLE,
            f"Plugin{'s' if len(missing) > 1 else ''} {', '.join(missing)} "
            f"{'are' if len(missing) > 1 else 'is'} not enabled on node {call.node}. "
            f"Enabled plugins and dependencies: {', '.join(there)}",
        )
    verb = "s " + listed + " are" if plural == "plugins" else f" {listed} is"
    return f"Plugin{verb} enabled on node {call.node}"


def directories(call: Call) -> Result:
    """There are none."""
    call.say(f"Listing plugin directories used by node {call.node}")
    return "Plugin archives directory: (none: they are part of the broker)"


ONLY: Final = (PLUGINS,)
WHERE: Final = {"all": bool, "offline": bool, "online": bool}
LIST: Final = {"verbose": bool, "minimal": bool, "enabled": bool, "implicitly-enabled": bool}
VERBS: Final = (
    Verb("directories", "[--offline] [--online]", "shows where plugins are", directories, switches=WHERE, tools=ONLY),
    Verb(
        "disable",
        "<plugin1> [ <plugin2>] | --all [--offline] [--online]",
        "disables plugins",
        disable,
        0,
        None,
        WHERE,
        tools=ONLY,
    ),
    Verb(
        "enable",
        "<plugin1> [ <plugin2>] | --all [--offline] [--online]",
        "enables plugins",
        enable,
        0,
        None,
        WHERE,
        tools=ONLY,
    ),
    Verb(
        "is_enabled",
        "<plugin1> [ <plugin2>] [--offline] [--online]",
        "fails when a plugin is not there",
        is_enabled,
        0,
        None,
        WHERE,
        tools=ONLY,
    ),
    Verb(
        "list",
        "[pattern] [--verbose] [--minimal] [--enabled] [--implicitly-enabled]",
        "lists plugins",
        list_plugins,
        0,
        1,
        LIST,
        {"v": "verbose", "m": "minimal", "E": "enabled", "e": "implicitly-enabled"},
        tools=ONLY,
    ),
)
