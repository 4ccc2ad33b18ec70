"""How values are spelled in `rabbitmq.conf`: text in, value out.

Every reader raises ValueError that says what is wrong with the text; what is allowed stands with the setting's field.
Units differ as RabbitMQ's do: sizes of frames and messages count in 1024 (`KB`, `MB`, `GB`), amounts of memory follow
the SI (`GB`) and the IEC (`GiB`).
"""

import re
from typing import Final

from amq.config.settings import NO_TIMEOUT, Listener
from amq.lang.pattern import compile_pattern

SIZE_UNITS: Final = {"KB": 1024, "MB": 1024**2, "GB": 1024**3}
MEMORY_UNITS: Final[dict[str, int]] = {
    "": 1,
    **{spelled: 1000**power for power, unit in enumerate("kmgtp", 1) for spelled in (unit, unit + "b")},
    **{spelled: 1024**power for power, unit in enumerate("kmgtp", 1) for spelled in (unit + "i", unit + "ib")},
}
TIME_UNITS: Final = {
    "f": 1_209_600_000,
    "w": 604_800_000,
    "d": 86_400_000,
    "h": 3_600_000,
    "m": 60_000,
    "s": 1000,
    "ms": 1,
}
EVERY_INTERFACE: Final = "::"
_WHOLE: Final = re.compile(r"[+-]?[0-9]+")
_SIZE: Final = re.compile(r"([0-9]+)(KB|MB|GB|kb|mb|gb)")
_MEMORY: Final = re.compile(r"([0-9]+)([a-z]*)", re.IGNORECASE)
_TIME: Final = re.compile(r"([0-9]+)(ms|[fwdhms])")
_DURATION: Final = re.compile(r"(?:[0-9]+(?:ms|[fwdhms]))+")
_PORT: Final = re.compile(r"[0-9]{1,5}")


def text(value: str) -> str:
    """The text itself."""
    return value


def whole(value: str) -> int:
    """A whole number."""
    if not _WHOLE.fullmatch(value):
        raise ValueError(f"'{value}' is not a whole number")
    return int(value)


def flag(value: str) -> bool:
    """`true` or `false`."""
    if value not in ("true", "false"):
        raise ValueError(f"'{value}' is neither true nor false")
    return value == "true"


def none(value: str) -> None:
    """`none`, the only value that keys such as `listeners.tcp` have."""
    if value != "none":
        raise ValueError(f"'{value}' is not none")


def name_or_false(value: str) -> str | None:
    """A name, or `false` for None."""
    return None if value == "false" else value


def folder(value: str) -> str | None:
    """The path of a folder, or `none`. A folder of that name is spelled `./none`."""
    return None if value == "none" else value


def size(value: str) -> int:
    """Octets, perhaps with KB, MB or GB (1024 each)."""
    found = _SIZE.fullmatch(value)
    if found:
        return int(found[1]) * SIZE_UNITS[found[2].upper()]
    return whole(value)


def memory(value: str) -> int:
    """Octets, perhaps with a unit: kB, MB, GB, TB, PB (1000 each) or KiB, MiB, GiB, TiB, PiB (1024 each)."""
    found = _MEMORY.fullmatch(value)
    if not found or found[2].lower() not in MEMORY_UNITS:
        raise ValueError(f"'{value}' is not an amount of memory")
    return int(found[1]) * MEMORY_UNITS[found[2].lower()]


def share(value: str) -> float:
    """A decimal fraction."""
    if not re.fullmatch(r"[0-9]+(\.[0-9]+)?", value):
        raise ValueError(f"'{value}' is not a decimal fraction")
    return float(value)


def time_or_infinity(value: str) -> int:
    """A number, or `infinity`."""
    return NO_TIMEOUT if value == "infinity" else whole(value)


def time_or_false(value: str) -> int | None:
    """A number, or `false` (or `undefined`, as RabbitMQ's advanced.config has it) for none."""
    return None if value in ("false", "undefined") else whole(value)


def count_or_infinity(value: str) -> int:
    """A number, or `infinity`, which is 0."""
    return 0 if value == "infinity" else whole(value)


def count_or_none(value: str) -> int | None:
    """A number, or `infinity` for no limit, which is None."""
    return None if value == "infinity" else whole(value)


def name_or_none(value: str) -> str | None:
    """A name, or `none`, which is None."""
    return None if value == "none" else value


def duration(value: str) -> int:
    """Milliseconds, or with units: `1d12h`, `90s`, `250ms`; f, w, d, h, m, s, ms, where f is a fortnight."""
    if _WHOLE.fullmatch(value):
        return whole(value)
    if not _DURATION.fullmatch(value):
        raise ValueError(f"'{value}' is not a time")
    return sum(int(number) * TIME_UNITS[unit] for number, unit in _TIME.findall(value))


def words(value: str) -> tuple[str, ...]:
    """Words with commas between them."""
    return tuple(word.strip() for word in value.split(",") if word.strip())


def certificate_name(value: str) -> str:
    """Where the user name stands in a certificate; `subject_alt_name` is the short form."""
    return "subject_alternative_name" if value == "subject_alt_name" else value


def pattern(value: str) -> str:
    """A regular expression."""
    compile_pattern(value)
    return value


def path(value: str) -> str:
    """The beginning of paths; slashes at its end do not count, and the first one may be left out."""
    bare = value.strip("/")
    return f"/{bare}" if bare else ""


def address(value: str) -> str:
    """An address or a name; an IPv6 address with or without brackets. `::` is every interface, IPv4 and IPv6."""
    return _address(value, value)


def listener(value: str) -> Listener:
    """`PORT` on every interface, or `HOST:PORT`; an IPv6 address with or without brackets.

    The address `::` is every interface too, IPv4 as well as IPv6, as it is for RabbitMQ; `0.0.0.0` is IPv4 only.
    """
    host, colon, port = value.rpartition(":")
    if not _PORT.fullmatch(port):
        raise ValueError(f"'{value}' has no port")
    if colon and not host:
        raise ValueError(f"'{value}' has no address")
    return Listener(_address(value, host), int(port))


def tls_listener(value: str) -> Listener:
    """The same for TLS."""
    plain = listener(value)
    return Listener(plain.host, plain.port, tls=True)


def _address(value: str, host: str) -> str:
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    if not re.fullmatch(r"[A-Za-z0-9._:%-]*", bare) or (bare != host and ":" not in bare):
        raise ValueError(f"'{value}' has no valid address")
    return "" if bare == EVERY_INTERFACE else bare
