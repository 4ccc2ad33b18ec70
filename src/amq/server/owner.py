"""A socket of this machine on which the broker's owner needs no password: the kernel tells who is at the other end."""

import logging
import os
import socket
import stat
import struct
from pathlib import Path
from typing import Final

import attrs
import trio

from amq.server.errors import StartError
from amq.server.listener import Door

LOGGER: Final = logging.getLogger(__name__)

NAME: Final = "http.sock"
BACKLOG: Final = 64
# Its owner may connect, and root.
MODE: Final = 0o600
# What SO_PEERCRED tells of the process at the other end: its id, user and group.
CREDENTIALS: Final = struct.Struct("3i")
# Longest path of a socket, in octets.
LONGEST: Final = 107


@attrs.define(eq=False)
class OwnerDoor(Door):
    """A socket by path. `host` is the path."""

    def address(self) -> str:
        return self.host

    def remove(self) -> None:
        """Take the path away; the socket was closed."""
        Path(self.host).unlink(missing_ok=True)


def socket_path(data: str | None, chosen: str | None) -> str | None:
    """Where the socket is to be: at the path that was chosen, else in the data folder; None for nowhere."""
    if chosen is not None:
        return None if chosen == "none" else chosen
    if data is None or not hasattr(socket, "SO_PEERCRED"):
        return None
    path = str(Path(data).absolute() / NAME)
    if len(os.fsencode(path)) > LONGEST:
        LOGGER.warning("%s is too long for the path of a socket: choose another one with management.unix_socket", path)
        return None
    return path


def open_owner_door(path: str) -> OwnerDoor:
    """Listen there. A socket that a broker left behind when it was killed is replaced.

    Raises StartError when there is something else, or nothing can be.
    """
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        _clear(path)
        listening.bind(path)
        # Nobody can connect before it listens.
        Path(path).chmod(MODE)
        listening.listen(BACKLOG)
    except OSError as error:
        listening.close()
        raise StartError(f"cannot listen on {path}: {error.strerror or error} (management.unix_socket)") from None
    return OwnerDoor(trio.SocketListener(trio.socket.from_stdlib_socket(listening)), None, path, 0)


def _clear(path: str) -> None:
    try:
        mode = os.lstat(path).st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise FileExistsError(0, "there is something else")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            Path(path).unlink()
            return
    raise FileExistsError(0, "another broker listens there")


def comes_from_owner(connection: trio.socket.SocketType) -> bool:
    """Whether the other end is a process of root or of this process's own user."""
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, CREDENTIALS.size)
    _, user, _ = CREDENTIALS.unpack(credentials)
    if user in (0, os.geteuid()):
        return True
    LOGGER.warning("a process of user %d was refused at the owner's socket", user)
    return False
