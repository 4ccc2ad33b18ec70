"""Definitions that a broker starts with: from a file, a folder of files, or a server.

load_definitions, definitions.local.path            a file, or a folder of which every *.json counts, by name
definitions.import_backend = https                  definitions.https.url
"""

import hashlib
import importlib
import logging
from pathlib import Path
from typing import Final

from amq.broker import Broker
from amq.config.seeds import HTTPS, LOCAL
from amq.config.settings import Settings
from amq.definitions.apply import apply
from amq.definitions.fields import DocumentError
from amq.definitions.parse import parse
from amq.definitions.sections import IMPORTED
from amq.definitions.seeding import add_defaults
from amq.server.errors import SettingError
from amq.vhost import parameters

LOGGER: Final = logging.getLogger(__name__)

PATH: Final = ("load_definitions", "load_definitions")
# What asks servers is imported when there is one to ask: a start has no time to lose.
FETCHING: Final = "amq.server.fetching"


def has_sources(settings: Settings) -> bool:
    """Whether the configuration names any definitions."""
    return settings.load_definitions is not None or settings.imports.url is not None or bool(settings.imports.backend)


def import_definitions(broker: Broker) -> None:
    """Make the broker have what those definitions define (JSON in UTF-8, in RabbitMQ's format).

    It gets the default user and vhost only when it has no vhost and none of them defines a user.
    Raises SettingError.
    """
    settings = broker.settings
    found = _sources(settings)
    digest = _digest(found, settings.imports.hashing)
    if settings.imports.skip_if_unchanged:
        if broker.global_parameters.get(IMPORTED) == digest:
            LOGGER.info("definitions are the same as those that were imported before: not imported again")
            return
        LOGGER.info("definitions are imported from %s", ", ".join(origin for origin, _, _ in found))
    _import(broker, found)
    if settings.imports.skip_if_unchanged:
        parameters.set_global(broker.journal, broker.global_parameters, IMPORTED, digest)


# Where something comes from, its octets, and the setting that named it.
Source = tuple[str, bytes, tuple[str, str]]


def _import(broker: Broker, found: list[Source]) -> None:
    documents = []
    for origin, octets, setting in found:
        try:
            documents.append((origin, parse(octets.decode("utf-8-sig")), setting))
        except UnicodeDecodeError as error:
            problem = f"{origin}: not UTF-8 text: {error.reason} at octet {error.start}"
            raise SettingError(*setting, problem) from None
        except DocumentError as error:
            raise SettingError(*setting, f"{origin}: {error}") from None
    if not broker.vhosts and not any(document.users for _, document, _ in documents):
        # Nobody could log in; RabbitMQ leaves it at that.
        add_defaults(broker)
    for origin, document, setting in documents:
        try:
            warnings = apply(document, broker)
        except DocumentError as error:
            raise SettingError(*setting, f"{origin}: {' '.join(str(error).split())}") from None
        for warning in warnings:
            LOGGER.warning("%s: %s: %s", setting[1], origin, warning)


def _digest(found: list[Source], algorithm: str) -> str:
    digest = hashlib.new("sha1" if algorithm == "sha" else algorithm, usedforsecurity=False)
    for _, octets, _ in found:
        digest.update(len(octets).to_bytes(8, "big") + octets)
    return digest.hexdigest()


def _sources(settings: Settings) -> list[Source]:
    """All that is to be imported, in order. Raises SettingError."""
    imports, path = settings.imports, settings.load_definitions
    found: list[Source] = []
    if path is not None:
        found += [(str(file), _read(file), PATH) for file in _files(Path(path))]
    elif LOCAL in imports.backend:
        raise SettingError("imports.backend", "definitions.import_backend", f"{LOCAL} needs definitions.local.path")
    if imports.url is not None:
        fetching = importlib.import_module(FETCHING)
        found.append((imports.url, fetching.fetched(imports.url, imports), fetching.URL))
    elif HTTPS in imports.backend:
        raise SettingError("imports.backend", "definitions.import_backend", f"{HTTPS} needs definitions.https.url")
    return found


def _files(path: Path) -> list[Path]:
    try:
        return sorted(path.glob("*.json")) if path.is_dir() else [path]
    except OSError as error:
        raise SettingError(*PATH, f"{path}: {error.strerror}") from None


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise SettingError(*PATH, f"{path}: {error.strerror}") from None
