"""A command of RabbitMQ's tools, and what its function works with."""

import socket
from collections.abc import Callable, Mapping
from typing import Any, Final

import attrs

from amq.cli import exits
from amq.cli.ask.broker import Broker, Refused, path
from amq.cli.ctl.parse import Switches
from amq.cli.ctl.results import FOR_PROGRAMS, Result, VerbError

CTL: Final = "rabbitmqctl"
DIAGNOSTICS: Final = "rabbitmq-diagnostics"
PLUGINS: Final = "rabbitmq-plugins"


@attrs.define(eq=False)
class Call:
    """One command line. `options` are by their long names."""

    broker: Broker
    arguments: tuple[str, ...]
    options: Mapping[str, Any]
    formatter: str
    _overview: dict[str, Any] | None = None

    def say(self, banner: str) -> None:
        """What is about to be done; only for people who want to know."""
        if not self.silent and self.formatter not in FOR_PROGRAMS:
            print(banner, flush=True)

    @property
    def silent(self) -> bool:
        """Whether nothing is to be said but the result."""
        return bool(self.options.get("quiet") or self.options.get("silent"))

    @property
    def vhost(self) -> str:
        """The vhost of -p."""
        return str(self.options.get("vhost", "/"))

    @property
    def overview(self) -> dict[str, Any]:
        """What the broker says of itself."""
        if self._overview is None:
            self._overview = dict(self.broker.get("overview"))
        return self._overview

    @property
    def node(self) -> str:
        """The broker's name."""
        return str(self.overview["node"])

    def rows(self, *where: str) -> list[dict[str, Any]]:
        """A list of the API; [] where its vhost does not exist."""
        try:
            found: list[dict[str, Any]] = self.broker.get(path(*where))
        except Refused as refused:
            if refused.code != 404:
                raise
            return []
        return found

    def exists(self, *where: str) -> bool:
        """Whether there is something at that path."""
        try:
            self.broker.get(path(*where))
        except Refused as refused:
            if refused.code != 404:
                raise
            return False
        return True


@attrs.frozen
class Verb:
    """`usage` is what stands after its name. It takes `least` to `most` arguments, any number for None."""

    name: str
    usage: str
    purpose: str
    run: Callable[[Call], Result]
    least: int = 0
    most: int | None = 0
    switches: Switches = attrs.Factory(dict)
    short: Mapping[str, str] = attrs.Factory(dict)
    tools: tuple[str, ...] = (CTL,)


class BadArguments(Exception):
    """Arguments that make no sense: an exit status, and what is said before the usage."""

    def __init__(self, problem: str, status: int = exits.USAGE) -> None:
        super().__init__(problem)
        self.status = status


def need_vhost(call: Call) -> None:
    """Raise VerbError for a vhost that does not exist, as commands do that read what belongs to one."""
    if not call.exists("vhosts", call.vhost):
        raise VerbError(exits.DATA, f"Virtual host '{call.vhost}' does not exist", bare=True)


def here() -> str:
    """A name for a broker that does not answer."""
    return f"amq@{socket.gethostname().partition('.')[0]}"
