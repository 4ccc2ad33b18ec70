"""Settings from their sources: the file, then the environment, then the command line; the later one wins.

The only module of this layer that reads files. The environment is handed in.

    file          rabbitmq.conf, with `include PATTERN`, `$(NAME)` and `$(<FILE)`, then conf.d/*.conf beside it
    environment   RABBITMQ_DEFAULT_USER, _DEFAULT_PASS, _DEFAULT_VHOST, _NODE_PORT, _NODE_IP_ADDRESS;
                  AMQ_ and a key in capitals, its dots as `__` or `_`: AMQ_HEARTBEAT, AMQ_LISTENERS__TCP__1
    command line  --listen, --data, --in-memory, --log-level
"""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from difflib import SequenceMatcher, get_close_matches
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import attrs

from amq.config import environment, foreign
from amq.config.draft import Draft
from amq.config.keys import KEYS, Key, find
from amq.config.origins import Origins
from amq.config.settings import Settings
from amq.config.substitution import substitute
from amq.lang.conf import ConfError, Entry, Include

# Reads the files; most starts have none, and it costs a tenth of a start.
GRAMMAR: Final = "amq.lang.conf_grammar"
# Less alike than this is no suggestion (0 to 1).
SIMILAR: Final = 0.6
# What makes a pattern of the name in `include NAME`, and what may stand there.
ANY: Final = "*"
INCLUDABLE: Final = "a file, or several by a name with * in it"
# To pathlib two of them are something else.
_STARS: Final = re.compile(r"\*+")
NULL: Final = b"\0"
_BY_NAME: Final = {key.name: key for key in KEYS}
_FROM_FILE: Final = re.compile(r"\$\(<(.+)\)")


class ConfigError(ValueError):
    """A configuration that cannot be used.

    The text is one line: `ORIGIN: what is wrong, what is allowed`, with an origin such as `FILE:LINE:COLUMN: KEY`,
    `environment AMQ_HEARTBEAT` or `--listen VALUE`.
    """

    def __init__(self, origin: str, problem: str, allowed: str = "") -> None:
        text = f"{origin}: {problem}, allowed: {allowed}" if allowed else f"{origin}: {problem}"
        super().__init__(" ".join(text.split()))
        self.origin = origin


@attrs.frozen
class _Given:
    """One setting of a file, before it is understood."""

    words: tuple[str, ...]
    key: str
    value: str
    path: Path
    line: int
    column: int

    @property
    def origin(self) -> str:
        """Where a wrong value stands."""
        return f"{self.path}:{self.line}:{self.column}: {self.key}"


def load(
    path: str | Path | None,
    environ: Mapping[str, str],
    *,
    listen: Sequence[str] = (),
    data: str | None = None,
    in_memory: bool = False,
    log_level: str | None = None,
    origins: Origins | None = None,
) -> tuple[Settings, list[str]]:
    """The settings, and a warning of one line for each key that is not known.

    `path` is a file in the form of `rabbitmq.conf` or a folder of such files (*.conf), None for no file. `listen`
    (HOST:PORT each) takes the place of all plain TCP listeners, `data` or `in_memory` that of a folder named elsewhere.
    `origins` is told where each value comes from, for errors that are found later.
    Raises ConfigError, whose text is one line.
    """
    origins = origins or Origins()
    draft = Draft(origins)
    warnings: list[str] = []
    if path is not None:
        _take_file(draft, Path(path), environ, warnings)
    _take_rabbitmq_variables(draft, environ)
    _take_variables(draft, environ, warnings)
    _take_options(draft, listen, log_level)
    _take_place(draft, data, in_memory)
    try:
        return draft.settings(), warnings
    except ValueError as error:
        # What is left to be wrong here is a TLS listener without a certificate.
        raise ConfigError(origins.of("listeners") or "configuration", str(error)) from None


def _take_file(draft: Draft, path: Path, environ: Mapping[str, str], warnings: list[str]) -> None:
    given = [entry for each in _files(path) for entry in _entries(each, str(each), ())]
    texts = {entry.key: entry.value for entry in given}
    for entry in given:
        found = find(entry.words)
        if found is None:
            warnings.append(f"{entry.path}:{entry.line}: {_without_effect(entry)}")
            continue
        key, word = found
        try:
            text = substitute(entry.value, texts, environ)
        except ValueError as error:
            raise ConfigError(entry.origin, str(error)) from None
        _put(draft, key, word, text, entry.origin)


def _files(path: Path) -> list[Path]:
    """A file and, as RabbitMQ has it, those in `conf.d` beside it; of a folder all that are for a configuration."""
    if path.is_dir():
        found = sorted(path.glob("*.conf"))
        if not found:
            raise ConfigError(str(path), "the folder has no file for a configuration", "files named *.conf")
        return found
    return [path, *sorted((path.parent / "conf.d").glob("*.conf"))]


def _take_rabbitmq_variables(draft: Draft, environ: Mapping[str, str]) -> None:
    for variable, name in environment.RABBITMQ.items():
        if environ.get(variable):
            _put(draft, _BY_NAME[name], "", environ[variable], f"environment {variable}")
    asked = environment.rabbitmq_listener(environ)
    if asked is not None:
        origin, text = asked
        key = _BY_NAME["listeners.tcp.$name"]
        draft.listen_only(key, [(_read(key, text, origin), origin)])


def _take_variables(draft: Draft, environ: Mapping[str, str], warnings: list[str]) -> None:
    for name, text in environment.ours(environ):
        found = environment.find(name)
        if found is None:
            nearest = get_close_matches(name, [environment.spelled(key) for key in KEYS], 1)
            warnings.append(f"environment: unknown variable {name}" + _suggestion(nearest))
            continue
        key, word = found
        _put(draft, key, word, text, f"environment {name}")


def _take_options(draft: Draft, listen: Sequence[str], log_level: str | None) -> None:
    if listen:
        key = _BY_NAME["listeners.tcp.$name"]
        given = [(text, f"--listen {text}") for text in listen]
        draft.listen_only(key, [(_read(key, text, origin), origin) for text, origin in given])
    if log_level is not None:
        for name in ("log.default.level", "log.console.level"):
            _put(draft, _BY_NAME[name], "", log_level, f"--log-level {log_level}")


def _take_place(draft: Draft, data: str | None, in_memory: bool) -> None:
    if in_memory:
        _put(draft, _BY_NAME["data"], "", "none", "--in-memory")
    elif data is not None:
        _put(draft, _BY_NAME["data"], "", data, f"--data {data}")


def _put(draft: Draft, key: Key, word: str, text: str, origin: str) -> None:
    value = _read(key, text, origin)
    if key.path and not os.access(text, os.R_OK):
        raise ConfigError(origin, f"'{text}' does not exist or cannot be read", key.allowed)
    draft.put(key, word, value, origin)


def _read(key: Key, text: str, origin: str) -> Any:
    try:
        return key.read(text)
    except ValueError as error:
        raise ConfigError(origin, str(error), key.allowed) from None


def _entries(path: Path, origin: str, within: tuple[Path, ...]) -> Iterator[_Given]:
    """Every setting of a file and of the files that it includes, in order. `origin` is where the file is asked for."""
    try:
        found: list[Entry | Include] = import_module(GRAMMAR).parse(_text(path, origin))
    except ConfError as error:
        raise ConfigError(f"{path}:{error.line}:{error.column}", error.message) from None
    for entry in found:
        if isinstance(entry, Include):
            yield from _included(path, entry, (*within, path.resolve()))
        else:
            yield _with_own_text(_Given(entry.words, entry.key, entry.value, path, entry.line, entry.column))


def _included(path: Path, include: Include, within: tuple[Path, ...]) -> Iterator[_Given]:
    """The settings of the files that a pattern means, which is relative to the including file.

    A pattern that no file has is fine, as it is for RabbitMQ; a name that no file has is a mistake.
    """
    wanted = Path(path.parent, include.pattern)
    origin = f"{path}:{include.line}:{include.column}: include"
    if ANY not in wanted.name and not os.access(wanted, os.R_OK):
        raise ConfigError(origin, f"'{wanted}' does not exist or cannot be read", INCLUDABLE)
    found = sorted(wanted.parent.glob(_STARS.sub(ANY, wanted.name))) if ANY in wanted.name else [wanted]
    for included in found:
        if included.resolve() in within:
            raise ConfigError(origin, f"'{included}' includes itself")
        yield from _entries(included, origin, within)


def _with_own_text(given: _Given) -> _Given:
    """The setting, its value `$(<FILE)` replaced by that file's text without the newline at its end."""
    found = _FROM_FILE.fullmatch(given.value)
    if found is None:
        return given
    text = _text(Path(given.path.parent, found[1].strip()), given.origin)
    return attrs.evolve(given, value=text.removesuffix("\n").removesuffix("\r"))


def _text(path: Path, origin: str) -> str:
    try:
        octets = path.read_bytes()
        # No path can hold one: the calls that take paths raise other errors than OSError for it.
        if NULL in octets:
            raise ConfigError(origin, f"'{path}' has a null at octet {octets.index(NULL)}", "text")
        return octets.decode()
    except UnicodeDecodeError as error:
        raise ConfigError(origin, f"'{path}' is not UTF-8 at octet {error.start}") from None
    except OSError as error:
        raise ConfigError(origin, f"'{path}' cannot be read: {error.strerror}") from None


def _without_effect(entry: _Given) -> str:
    """What is to be said of a key that is not known."""
    reason = foreign.reason(entry.words)
    if reason is not None:
        return f"key '{entry.key}' has no effect: {reason}"
    return f"unknown key '{entry.key}'{_nearest(entry.words)}"


def _nearest(words: tuple[str, ...]) -> str:
    """The known key that is most like these words. A free word counts on neither side."""
    likeness = {key: SequenceMatcher(None, *key.without_free_words(words)).ratio() for key in KEYS}
    best = max(likeness, key=likeness.__getitem__)
    return _suggestion([best.name] if likeness[best] >= SIMILAR else [])


def _suggestion(nearest: Sequence[str]) -> str:
    return f"; the nearest known is '{nearest[0]}'" if nearest else "; no known one is like it"
