"""rabbitmqctl: the thresholds of the alarms, until the configuration is read again."""

import math
from typing import Any, Final

from amq.cli import exits
from amq.cli.ask.broker import Refused
from amq.cli.ctl.results import Result
from amq.cli.ctl.verb import BadArguments, Call, Verb

BAD: Final = "Bad argument."
NO_FRACTION: Final = "Bad argument: The threshold should be a fraction between 0.0 and 1.0"


def set_vm_memory_high_watermark(call: Call) -> Result:
    """A share of the machine's memory, or after `absolute` an amount."""
    value = _value(call, "absolute")
    if len(call.arguments) == 2:
        _put(call, "amq/memory-high-watermark", {"absolute": _amount(value)})
        call.say(f"Setting memory threshold on {call.node} to {value} bytes ...")
        return None
    share = _number(value)
    if not 0 <= share <= 1:
        raise BadArguments(NO_FRACTION, exits.DATA)
    _put(call, "amq/memory-high-watermark", {"relative": share})
    call.say(f"Setting memory threshold on {call.node} to {value} ...")
    return None


def set_disk_free_limit(call: Call) -> Result:
    """An amount, or after `mem_relative` a multiple of the machine's memory."""
    value = _value(call, "mem_relative")
    if len(call.arguments) == 2:
        _put(call, "amq/disk-free-limit", {"relative": _number(value)})
        call.say(f"Setting disk free limit on {call.node} to {value} times the total RAM ...")
        return None
    _put(call, "amq/disk-free-limit", {"absolute": _amount(value)})
    call.say(f"Setting disk free limit on {call.node} to {value} bytes ...")
    return None


def _value(call: Call, word: str) -> str:
    """The last argument; of two the first must be that word."""
    if len(call.arguments) == 2 and call.arguments[0] != word:
        raise BadArguments(BAD, exits.DATA)
    return call.arguments[-1]


def _number(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        raise BadArguments(BAD, exits.DATA) from None
    if not math.isfinite(number):
        raise BadArguments(BAD, exits.DATA)
    return number


def _amount(text: str) -> int | str:
    return int(text) if text.isascii() and text.isdigit() else text


def _put(call: Call, where: str, threshold: dict[str, Any]) -> None:
    try:
        call.broker.put(where, threshold)
    except Refused as refused:
        if refused.code != 400:
            raise
        raise BadArguments(BAD, exits.DATA) from None


VERBS: Final = (
    Verb(
        "set_disk_free_limit",
        "<disk_limit> | mem_relative <fraction>",
        "moves the threshold of the disk alarm",
        set_disk_free_limit,
        1,
        2,
    ),
    Verb(
        "set_vm_memory_high_watermark",
        "<fraction> | absolute <value>",
        "moves the threshold of the memory alarm",
        set_vm_memory_high_watermark,
        1,
        2,
    ),
)
