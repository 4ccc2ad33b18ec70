"""One of RabbitMQ's tools: finds the command in its arguments, runs it, and says what is wrong as the real one does."""

import sys
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, Final

import attrs
import click

from amq.cli import exits
from amq.cli.ask.broker import SECONDS, Broker
from amq.cli.ask.target import Tls, find
from amq.cli.ctl import acting, diagnostics, listings, nodes, plugins, report, rules, status, thresholds, users, vhosts
from amq.cli.ctl.parse import EVERYWHERE, SHORT, Parsed, parse
from amq.cli.ctl.results import FORMATTERS, Result, VerbError, heading, show, show_error
from amq.cli.ctl.verb import CTL, DIAGNOSTICS, PLUGINS, BadArguments, Call, Verb
from amq.cli.exits import CommandError
from amq.cli.show.text import harmless, harmless_lines

SECTIONS: Final[Mapping[str, tuple[Verb, ...]]] = {
    "Help": nodes.HELP,
    "Nodes": (*nodes.VERBS, *status.VERBS, *report.VERBS, *thresholds.VERBS),
    "Users and access control": users.VERBS,
    "Virtual hosts": vhosts.VERBS,
    "Monitoring, observability and health checks": (*listings.VERBS, *diagnostics.VERBS),
    "Parameters, policies and limits": rules.VERBS,
    "Operations, definitions and feature flags": acting.VERBS,
    "Plugins": plugins.VERBS,
}
OWN: Final = ("autocomplete", "help")


def _verbs(tool: str) -> dict[str, Verb]:
    return {verb.name: verb for verbs in SECTIONS.values() for verb in verbs if tool in verb.tools}


def run(tool: str, given: list[str]) -> int:
    """Do what the command line says; the exit status."""
    verbs = _verbs(tool)
    # Which options there are depends on the command, and the command may stand behind options.
    every = {name: kind for verb in verbs.values() for name, kind in verb.switches.items()}
    loose = parse(given, {**EVERYWHERE, **every}, {**SHORT, **_short(verbs)})
    name = loose.arguments[0] if loose.arguments else ""
    if not name and loose.options.get("version"):
        name, given = "version", ["version", *[word for word in given if word != "--version"]]
    if name in {"", "help"}:
        return _help(tool, verbs, loose, name)
    if name == "autocomplete":
        start = loose.arguments[1] if len(loose.arguments) > 1 else ""
        print("\n".join([each for each in sorted([*verbs, *OWN]) if each.startswith(start)]))
        return exits.OK
    verb = verbs.get(name)
    if verb is None:
        return _unknown(tool, verbs, name)
    parsed = parse(given, {**EVERYWHERE, **verb.switches}, {**SHORT, **verb.short})
    if parsed.options.get("help"):
        print(_usage(tool, verb))
        return exits.OK
    try:
        return _run(verb, attrs.evolve(parsed, arguments=parsed.arguments[1:]))
    except BadArguments as error:
        return _refuse(tool, verb, given, error)


def _short(verbs: Mapping[str, Verb]) -> dict[str, str]:
    return {letter: name for verb in verbs.values() for letter, name in verb.short.items()}


def _run(verb: Verb, parsed: Parsed) -> int:
    if parsed.wrong:
        listed = "\n".join([f"{name} : {value}" for name, value in parsed.wrong])
        raise BadArguments(f"Invalid options for this command:\n{listed}")
    if len(parsed.arguments) < verb.least:
        raise BadArguments("not enough arguments.")
    if verb.most is not None and len(parsed.arguments) > verb.most:
        raise BadArguments("too many arguments.")
    options = parsed.options
    formatter = options.get("formatter", "table")
    if formatter not in FORMATTERS:
        raise BadArguments(f"Formatter '{formatter}' is not one of {', '.join(FORMATTERS)}")
    with_header = options.get("table-headers", True) and not options.get("silent", False)
    broker = _broker(options)
    try:
        call = Call(broker, parsed.arguments, options, formatter)
        _check_node(call)
        result: Result = verb.run(call)
        show(result, formatter, header=with_header)
    except VerbError as error:
        sys.stdout.flush()
        show_error(error, formatter, sys.stderr)
        return error.status
    except CommandError as error:
        sys.stdout.flush()
        return _explain(broker, options, error)
    finally:
        broker.close()
    return exits.OK


def _broker(options: Mapping[str, Any]) -> Broker:
    tls = Tls(options.get("cacert"), options.get("cert"), options.get("key"), options.get("insecure", False))
    seconds = options.get("timeout", SECONDS)
    # RabbitMQ's tools take 0 and `infinity` for no limit.
    return Broker(find(options.get("url"), options.get("data")), tls, min(seconds or FOREVER, FOREVER))


FOREVER: Final = 86_400.0


def _check_node(call: Call) -> None:
    """A node that is named must be this one: by its name, by the part before the @, or as RabbitMQ calls its own."""
    wanted = call.options.get("node")
    name, _, host = call.node.partition("@")
    # Scripts and Ansible's modules name RabbitMQ's default node, wherever they run.
    if wanted is not None and wanted not in {call.node, name, "rabbit", f"rabbit@{host}"}:
        raise CommandError(exits.UNAVAILABLE, f"the broker at {call.broker.target.shown} is {call.node}")


def _explain(broker: Broker, options: Mapping[str, Any], error: CommandError) -> int:
    if error.status == exits.UNAVAILABLE:
        print(harmless_lines(nodes.unreachable(broker, options.get("node"), str(error))), file=sys.stderr)
    else:
        print(harmless_lines(f"Error:\n{error}"), file=sys.stderr)
    return error.status


# -- what is wrong, and help --


def _refuse(tool: str, verb: Verb, given: list[str], error: BadArguments) -> int:
    lines = f"Error (argument validation): {error}\nArguments given:\n\t{' '.join(given)}\n{_usage_lines(tool, verb)}"
    print(harmless_lines(lines).replace(r"\x1b[1m", "\x1b[1m").replace(r"\x1b[0m", "\x1b[0m"), file=sys.stderr)
    return error.status


def _usage_lines(tool: str, verb: Verb) -> str:
    return f"\n{heading('Usage')}\n{tool} [--node <node>] [--longnames] [--quiet] {verb.name} {verb.usage}".rstrip()


def _usage(tool: str, verb: Verb) -> str:
    sentence = f"{verb.purpose[0].upper()}{verb.purpose[1:]}."
    return f"{_usage_lines(tool, verb)}\n\n{sentence}\n\n{GENERAL}"


GENERAL: Final = """\
Options of every command:

 -n, --node <node>      the name of the broker's node, if it is this one
 -t, --timeout <n>      how long an answer may take, in seconds
 -q, --quiet            say nothing but the result
 -s, --silent           nor the names of columns
 -p, --vhost <vhost>    the virtual host
     --formatter <f>    table, json, csv, pretty_table, erlang
     --no-table-headers no names of columns
     --url <url>        the broker's HTTP API, http://USER:PASSWORD@HOST:15672 ($AMQ_URL)
     --data <folder>    the data folder of a broker on this machine ($AMQ_DATA)"""


def _unknown(tool: str, verbs: Mapping[str, Verb], name: str) -> int:
    near = get_close_matches(name, [*verbs, *OWN], 1, 0.7)
    problem = f"\nCommand '{harmless(name)}' not found. \n"
    print(problem + (f"Did you mean '{near[0]}'? \n" if near else _commands(tool, verbs)), file=sys.stderr)
    return exits.USAGE


def _commands(tool: str, verbs: Mapping[str, Verb]) -> str:
    lines = [
        "",
        heading("Usage"),
        f"{tool} [--node <node>] [--timeout <timeout>] [--longnames] [--quiet] <command> [<command options>]",
        "",
        "Available commands:",
    ]
    width = max([len(name) for name in verbs])
    for section, all_of_it in SECTIONS.items():
        found = sorted([verb for verb in all_of_it if tool in verb.tools], key=lambda verb: verb.name)
        if found:
            lines += ["", f"{heading(section).rstrip()}:", ""]
            lines += [f"   {verb.name.ljust(width)}  {verb.purpose}" for verb in found]
    return "\n".join([*lines, "", f"Use '{tool} help <command>' to learn more about a specific command"])


def _help(tool: str, verbs: Mapping[str, Verb], loose: Parsed, name: str) -> int:
    if len(loose.arguments) > 1:
        verb = verbs.get(loose.arguments[1])
        if verb is None:
            print(f"Error:\n\nCommand '{harmless(loose.arguments[1])}' not found.", file=sys.stderr)
            return exits.USAGE
        print(_usage(tool, verb))
        return exits.OK
    asked = name == "help" or bool(loose.options.get("help"))
    print(_commands(tool, verbs), file=sys.stdout if asked else sys.stderr)
    return exits.OK if asked else exits.USAGE


def command_of(tool: str, purpose: str) -> click.Command:
    """The tool as a command of `amq`, which reads its arguments itself."""

    @click.command(
        tool,
        short_help=purpose,
        help=f"{purpose[0].upper()}{purpose[1:]}. `amq {tool} help` lists the commands.",
        context_settings={"ignore_unknown_options": True, "help_option_names": [], "allow_interspersed_args": False},
        add_help_option=False,
    )
    @click.argument("arguments", nargs=-1, type=click.UNPROCESSED, shell_complete=_complete(tool))
    def command(arguments: tuple[str, ...]) -> int:
        return run(tool, list(arguments))

    return command


def _complete(tool: str) -> Any:
    def complete(ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
        if ctx.params.get("arguments"):
            return []
        return [name for name in sorted([*_verbs(tool), *OWN]) if name.startswith(incomplete)]

    return complete


rabbitmqctl: Final = command_of(CTL, "commands of RabbitMQ's rabbitmqctl, for scripts that know them")
rabbitmq_diagnostics: Final = command_of(DIAGNOSTICS, "commands of RabbitMQ's rabbitmq-diagnostics")
rabbitmq_plugins: Final = command_of(PLUGINS, "commands of RabbitMQ's rabbitmq-plugins")
