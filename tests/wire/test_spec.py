"""The numbers of the specification, compared with those that two clients have."""

from typing import Any

import pamqp.commands
import pamqp.constants
import pika.spec
import pytest

from amq import errors
from amq.wire import methods, properties, spec

LETTERS = {
    "octet": "o",
    "short": "h",
    "long": "l",
    "longlong": "q",
    "shortstr": "s",
    "longstr": "S",
    "table": "T",
    "bit": "b",
}
# pamqp leaves these out; pika has them.
ACCESS = {spec.ACCESS_REQUEST: pika.spec.Access.Request, spec.ACCESS_REQUEST_OK: pika.spec.Access.RequestOk}


def constants(start: str) -> dict[str, int]:
    return {name: value for name, value in vars(spec).items() if name.startswith(start)}


def test_methods_are_those_of_pamqp_and_those_for_access() -> None:
    assert set(methods.SIGNATURES) == set(pamqp.commands.INDEX_MAPPING) | set(ACCESS)
    assert {number: command.INDEX for number, command in ACCESS.items()} == {number: number for number in ACCESS}


@pytest.mark.parametrize("number", sorted(pamqp.commands.INDEX_MAPPING))
def test_arguments_of_a_method_are_those_of_pamqp(number: int) -> None:
    command: Any = pamqp.commands.INDEX_MAPPING[number]
    assert methods.SIGNATURES[number] == "".join([LETTERS[command.amqp_type(name)] for name in command.attributes()])


@pytest.mark.parametrize("number", sorted(pamqp.commands.INDEX_MAPPING))
def test_the_name_of_a_method_is_that_of_pamqp(number: int) -> None:
    command: Any = pamqp.commands.INDEX_MAPPING[number]
    class_name, method_name = command.name.split(".")
    words = "".join(["_" + letter if letter.isupper() else letter for letter in method_name])
    assert getattr(spec, f"{class_name}{words}".upper()) == number


def test_frames_are_marked_as_in_pika() -> None:
    assert spec.FRAME_METHOD == pika.spec.FRAME_METHOD
    assert spec.FRAME_HEADER == pika.spec.FRAME_HEADER
    assert spec.FRAME_BODY == pika.spec.FRAME_BODY
    assert spec.FRAME_HEARTBEAT == pika.spec.FRAME_HEARTBEAT
    assert spec.FRAME_END == pika.spec.FRAME_END
    assert spec.FRAME_MIN_SIZE == pika.spec.FRAME_MIN_SIZE
    assert spec.ENVELOPE == pika.spec.FRAME_HEADER_SIZE + pika.spec.FRAME_END_SIZE
    assert b"AMQP\x00" + bytes(pika.spec.PROTOCOL_VERSION) == spec.PROTOCOL_HEADER


def test_every_frame_type_and_class_number_is_its_own() -> None:
    assert sorted(constants("FRAME_").values()) == [1, 2, 3, 8, 0xCE, 4096]
    ours = (spec.CLASS_EXCHANGE, spec.CLASS_QUEUE, spec.CLASS_BASIC, spec.CLASS_TX)
    theirs = (pika.spec.Exchange, pika.spec.Queue, pika.spec.Basic, pika.spec.Tx)
    assert ours == tuple(number.INDEX for number in theirs)


@pytest.mark.parametrize("code", sorted(errors.REPLY_NAMES))
def test_reply_codes_are_those_of_pika(code: int) -> None:
    assert getattr(pika.spec, errors.REPLY_NAMES[code]) == code
    assert getattr(errors, errors.REPLY_NAMES[code]) == code


def test_flags_of_properties_are_those_of_pika() -> None:
    theirs = {name: value for name, value in vars(pika.spec.BasicProperties).items() if name.startswith("FLAG_")}
    assert len(theirs) == 14
    assert {name: getattr(properties, name.removeprefix("FLAG_")) for name in theirs} == theirs
