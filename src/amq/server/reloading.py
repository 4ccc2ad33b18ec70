"""SIGHUP and `amq reload`: takes over from the configuration, read anew, what can change in a running broker."""

import contextlib
import logging
import ssl
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Final

import attrs
import trio

from amq.config.keys import KEYS
from amq.config.load import ConfigError
from amq.config.reloaded import Outcome, ReloadRefused
from amq.config.settings import Settings, TlsSettings
from amq.server import logs
from amq.server.errors import StartError
from amq.server.listener import Door
from amq.server.server import Server
from amq.server.tls import server_context

LOGGER: Final = logging.getLogger(__name__)

# What is looked up whenever it is needed, or is taken over below.
CHANGEABLE: Final = frozenset(
    {
        "heartbeat",
        "frame_max",
        "channel_max",
        "max_message_size",
        "consumer_timeout",
        "consumer_max_per_channel",
        "handshake_timeout",
        "ssl_handshake_timeout",
        "password_hashing_module",
        "auth_mechanisms",
        "loopback_users",
        "logins",
        "ssl_cert_login_from",
        "ssl_cert_login_san_type",
        "ssl_cert_login_san_index",
        "limits",
        "memory_high_watermark",
        "disk_free_limit",
        "log_level",
        "log",
        "tls",
        "management_tls",
        "prometheus_tls",
        "product_name",
        "product_version",
        "cluster_name",
    }
)


@attrs.define(eq=False)
class Reloader:
    """Reloads the configuration of a server; `read` gives the settings and warnings, or raises ConfigError."""

    server: Server
    read: Callable[[], tuple[Settings, list[str]]]
    _turn: trio.Lock = attrs.field(factory=trio.Lock, init=False)

    async def reload(self) -> Outcome:
        """Read the configuration and take over what can change. Raises ReloadRefused, and then nothing has changed."""
        async with self._turn:
            try:
                settings, warnings = await trio.to_thread.run_sync(self.read)
                contexts = _contexts(self.server, settings)
            except (ConfigError, StartError) as error:
                LOGGER.error("the configuration is not reloaded: %s", error)
                raise ReloadRefused(str(error)) from None
            return self._take_over(settings, warnings, contexts)

    def _take_over(
        self, settings: Settings, warnings: list[str], contexts: list[tuple[Door, ssl.SSLContext]]
    ) -> Outcome:
        before = self.server.broker.settings
        different = [field.name for field in attrs.fields(Settings) if _differs(before, settings, field.name)]
        fields = [field for field in different if field in CHANGEABLE]
        merged = attrs.evolve(before, **{field: getattr(settings, field) for field in fields})
        try:
            logs.configure(merged)
        except StartError as error:
            LOGGER.error("the configuration is not reloaded: %s", error)
            raise ReloadRefused(str(error)) from None
        for door, context in contexts:
            door.tls = context
        self._apply(merged)
        outcome = Outcome(
            [f"{_keys(field)}: {_change(before, settings, field)}" for field in fields],
            [f"{_keys(field)}: {_change(before, settings, field)}" for field in different if field not in CHANGEABLE],
            warnings,
        )
        if contexts:
            addresses = ", ".join(door.address() for door, _ in contexts)
            outcome.changed.append(f"TLS certificates of {addresses}: read anew")
        _report(outcome)
        return outcome

    def _apply(self, settings: Settings) -> None:
        server = self.server
        server.settings = settings
        server.broker.adopt(settings)
        server.thresholds.apply()

    async def serve(self, hangups: AsyncIterator[int]) -> None:
        """Reload at every signal, until cancelled."""
        async for _ in hangups:
            LOGGER.info("SIGHUP received: reloading the configuration")
            # A refusal is in the log, and the broker goes on as before.
            with contextlib.suppress(ReloadRefused):
                await self.reload()


def _contexts(server: Server, settings: Settings) -> list[tuple[Door, ssl.SSLContext]]:
    """What TLS listeners are to use from now on. Raises SettingError or StartError."""
    found = _contexts_for(server.doors, "ssl_options", settings.tls)
    if server.web is not None:
        found += _contexts_for(server.web.api, "management.ssl", settings.management_tls)
        found += _contexts_for(server.web.figures, "prometheus.ssl", settings.prometheus_tls)
    return found


def _contexts_for(doors: Iterable[Door], key: str, tls: TlsSettings | None) -> list[tuple[Door, ssl.SSLContext]]:
    secured = [door for door in doors if door.tls is not None]
    if not secured:
        return []
    if tls is None or tls.certfile is None or tls.keyfile is None:
        raise StartError(f"{key}.certfile and {key}.keyfile are needed as long as there is a TLS listener")
    context = server_context(tls)
    return [(door, context) for door in secured]


def _differs(before: Settings, after: Settings, field: str) -> bool:
    return bool(getattr(before, field) != getattr(after, field))


def _keys(field: str) -> str:
    """How the configuration calls a setting."""
    names = [key.name for key in KEYS if key.field.partition(".")[0] == field]
    if len(names) == 1:
        return names[0]
    # Of several keys what they have in common.
    words = [name.split(".") for name in names]
    common = [each[0] for each in zip(*words, strict=False) if len(set(each)) == 1]
    return ".".join(common) or field


def _change(before: Settings, after: Settings, field: str) -> str:
    """From what to what, where that is one plain value; secrets are none."""
    old, new = getattr(before, field), getattr(after, field)
    plain = (bool, int, float, str, type(None))
    if field == "default_pass" or not (isinstance(old, plain) and isinstance(new, plain)):
        return "changed"
    return f"{old} -> {new}"


def _report(outcome: Outcome) -> None:
    for warning in outcome.warnings:
        LOGGER.warning("%s", warning)
    for line in outcome.changed:
        LOGGER.info("reloaded %s", line)
    for line in outcome.needs_restart:
        LOGGER.warning("needs a restart: %s", line)
    if not (outcome.changed or outcome.needs_restart):
        LOGGER.info("the configuration is as before")
