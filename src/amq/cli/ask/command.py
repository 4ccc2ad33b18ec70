"""A command that asks a broker: the options that all of them have, and what its function gets."""

from collections.abc import Callable
from typing import Any, Final

import attrs
import click

from amq.cli import exits
from amq.cli.ask.broker import SECONDS, Broker
from amq.cli.ask.completing import complete_vhosts
from amq.cli.ask.target import Tls, find
from amq.cli.exits import CommandError
from amq.cli.show.output import FORMATS, Output

Function = Callable[..., Any]


@attrs.frozen
class Session:
    """What a command works with. `vhost` is that of -p, `out` where it writes to."""

    broker: Broker
    out: Output
    vhost: str | None

    @property
    def in_vhost(self) -> str:
        """The vhost that is meant when none was named."""
        return "/" if self.vhost is None else self.vhost


def options(*, vhost: bool, table: bool) -> list[click.Parameter]:
    """The options of a command that asks a broker, fresh for each."""
    found: list[click.Parameter] = []
    if vhost:
        found.append(
            click.Option(["-p", "--vhost"], metavar="VHOST", shell_complete=complete_vhosts, help="the virtual host")
        )
    if table:
        found += [
            click.Option(
                ["-f", "--format", "shape"],
                type=click.Choice(FORMATS),
                default="table",
                help="table (the default; tab-separated when it goes into a pipe), json or csv",
            ),
            click.Option(
                ["-c", "--columns"], metavar="NAMES", help="which columns, separated by commas; a.b is b in a"
            ),
            click.Option(["-S", "--sort"], metavar="NAME", help="sort by a column; -NAME is from its end"),
            click.Option(["--no-header"], is_flag=True, help="no line with the names of the columns"),
        ]
    found += [
        click.Option(["-q", "--quiet"], is_flag=True, help="say nothing but what was asked for"),
        click.Option(
            ["--url"], metavar="URL", help="the broker's HTTP API, http://USER:PASSWORD@HOST:15672 ($AMQ_URL)"
        ),
        click.Option(
            ["--data"],
            metavar="DIR",
            help="the data folder of a broker on this machine; no password is needed ($AMQ_DATA)",
        ),
        click.Option(
            ["--timeout"],
            metavar="S",
            type=click.FloatRange(0.001),
            default=SECONDS,
            help="how long an answer may take (60)",
        ),
        click.Option(["--cacert"], metavar="FILE", help="authorities that may vouch for the broker's certificate"),
        click.Option(["--cert"], metavar="FILE", help="a certificate to show to the broker"),
        click.Option(["--key"], metavar="FILE", help="the key of that certificate"),
        click.Option(["--insecure"], is_flag=True, help="do not check the broker's certificate"),
    ]
    return found


class AskingCommand(click.Command):
    """A command whose function gets a Session before its own arguments."""

    def __init__(self, *arguments: Any, vhost: bool = False, table: bool = False, **given: Any) -> None:
        super().__init__(*arguments, **given)
        self._shared: Final = options(vhost=vhost, table=table)
        self.params = [*self.params, *self._shared]

    def invoke(self, ctx: click.Context) -> Any:
        """Run it with a Session, and hang up afterwards."""
        shared = {str(option.name): ctx.params.pop(str(option.name)) for option in self._shared}
        session = _session(shared)
        ctx.obj = session
        try:
            return super().invoke(ctx)
        finally:
            session.broker.close()


def broker_of(given: dict[str, Any]) -> Broker:
    """The broker that the options mean. Raises CommandError."""
    target = find(given["url"], given["data"])
    files = [name for name in ("cacert", "cert", "key") if given[name] is not None]
    # Who writes --key for a routing key is to hear of it.
    if files and not target.base.startswith("https:"):
        raise CommandError(exits.USAGE, f"--{files[0]}: a file for TLS, with a URL of https only")
    if given["key"] is not None and given["cert"] is None:
        raise CommandError(exits.USAGE, "--key: the key of --cert, which is missing")
    tls = Tls(given["cacert"], given["cert"], given["key"], given["insecure"])
    return Broker(target, tls, given["timeout"])


def _session(given: dict[str, Any]) -> Session:
    out = Output(
        shape=given.get("shape", "table"),
        columns=given.get("columns"),
        sort=given.get("sort"),
        header=not given.get("no_header", False),
        quiet=given["quiet"],
    )
    return Session(broker_of(given), out, given.get("vhost"))


def asking(
    group: click.Group | None, name: str, purpose: str, *, vhost: bool = False, table: bool = False, more: str = ""
) -> Callable[[Function], AskingCommand]:
    """Make a command of a function, which gets a Session first, and enter it into a group."""

    def make(function: Function) -> AskingCommand:
        sentence = f"{purpose[:1].upper()}{purpose[1:]}."
        made = click.command(
            name,
            cls=AskingCommand,
            vhost=vhost,
            table=table,
            short_help=purpose,
            help=f"{sentence} {more}".strip(),
        )(click.pass_obj(function))
        if group is not None:
            group.add_command(made)
        return made

    return make
