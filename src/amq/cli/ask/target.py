"""Where a broker is asked: over the socket in its data folder, or at a URL."""

import os
import ssl
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

import attrs

from amq.cli import exits
from amq.cli.exits import CommandError
from amq.cli.folder import default_data
from amq.server.errors import StartError

SOCKET: Final = "http.sock"
# Where a broker that keeps nothing is, which has no folder for a socket; asked when the default folder has none.
DEFAULT_URL: Final = "http://guest:guest@127.0.0.1:15672"
PORTS: Final = {"http": 15672, "https": 15671}


@attrs.frozen
class Tls:
    """How to check a broker's certificate and what to show of one's own."""

    authorities: str | None = None
    certificate: str | None = None
    key: str | None = None
    insecure: bool = False

    def context(self) -> ssl.SSLContext:
        """For a connection. Raises CommandError for files that cannot be used."""
        try:
            context = ssl.create_default_context(cafile=self.authorities)
            if self.certificate is not None:
                context.load_cert_chain(self.certificate, self.key)
        except (OSError, ssl.SSLError) as error:
            files = ", ".join(name for name in (self.authorities, self.certificate, self.key) if name)
            raise CommandError(exits.DATA, f"{files}: {error.strerror or error}") from None
        if self.insecure:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context


@attrs.frozen
class Target:
    """A broker's address. `socket` is a file and goes before the host of `base`; `shown` has no password in it."""

    base: str
    shown: str
    socket: Path | None = None
    user: str | None = None
    password: str = ""

    @property
    def host(self) -> str:
        """The host of the URL, without brackets."""
        return urlsplit(self.base).hostname or "127.0.0.1"


def find(url: str | None, data: str | None) -> Target:
    """The broker that is meant: --url, --data, $AMQ_URL, $AMQ_DATA, the default data folder; the first that is given.

    A broker in memory has no folder: when the default folder has no socket, it is asked at its default URL.
    Raises CommandError for what cannot be an address.
    """
    if url is None and data is None:
        url = os.environ.get("AMQ_URL") or None
    if url is not None:
        return _at(url)
    named = data or os.environ.get("AMQ_DATA") or None
    if named is None or named == "none":
        return _default()
    return _in(Path(named))


def _default() -> Target:
    try:
        folder = Path(default_data())
        there = (folder / SOCKET).exists()
    except (StartError, PermissionError):
        there = False
    return _in(folder) if there else _at(DEFAULT_URL)


def _in(folder: Path) -> Target:
    socket = folder / SOCKET
    return Target("http://localhost", str(socket), socket)


def _at(url: str) -> Target:
    parts = urlsplit(url if "://" in url else f"http://{url}")
    try:
        port = parts.port
    except ValueError:
        port = 0
    if parts.scheme not in PORTS or not parts.hostname or port == 0:
        # What is wrong may hold a password, so it is not repeated.
        raise CommandError(exits.USAGE, "--url: not http://USER:PASSWORD@HOST:PORT or https://USER:PASSWORD@HOST:PORT")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    base = f"{parts.scheme}://{host}:{port or PORTS[parts.scheme]}{parts.path.rstrip('/').removesuffix('/api')}"
    user = None if parts.username is None else unquote(parts.username)
    return Target(base, base, None, user, unquote(parts.password or ""))
