"""Where log lines go, and what they look like."""

import json
import logging
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from amq.config.log import LogSettings
from amq.config.settings import Settings
from amq.server import logs
from amq.server.errors import SettingError
from amq.server.log_file import LogFile, next_moment
from amq.server.log_lines import LEVELS, Json, Lines, Logfmt, category
from amq.server.log_tail import LogTail


def record(level: int, text: str) -> logging.LogRecord:
    made = logging.LogRecord("amq", level, "file.py", 1, text, None, None)
    made.created = 1_700_000_000.25
    return made


@pytest.fixture(autouse=True)
def root_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level, raising = list(root.handlers), root.level, logging.raiseExceptions
    own = logs.LOGGER.level
    yield
    logs.LOGGER.setLevel(own)
    for handler in root.handlers:
        if handler not in handlers and handler is not logs.TAIL:
            handler.close()
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.raiseExceptions = raising


# -- how they look --


def test_a_line_looks_as_rabbitmq_writes_it() -> None:
    line = Lines().format(record(logging.INFO, "accepting AMQP connection"))
    assert line == "2023-11-14 22:13:20.250000+00:00 [info] accepting AMQP connection"


@pytest.mark.parametrize("name", [name for name in LEVELS if name != "none"])
def test_every_level_has_rabbitmqs_name(name: str) -> None:
    assert f" [{name}] " in Lines().format(record(LEVELS[name], "text"))


def test_further_lines_of_a_text_are_indented() -> None:
    assert Lines().format(record(logging.ERROR, "first\nsecond")).endswith("[error] first\n    second")


def test_logfmt_keeps_a_text_in_one_line() -> None:
    assert Logfmt().format(record(logging.ERROR, 'Channel error on connection "x"\nand more')) == (
        "time=2023-11-14T22:13:20.250000+00:00 level=error domain=channel "
        'msg="Channel error on connection \\"x\\"\\nand more"'
    )


def test_json_has_rabbitmqs_keys() -> None:
    line = json.loads(Json().format(record(logging.WARNING, "closing AMQP connection <x>")))
    assert line.pop("pid") > 0
    assert line == {
        "time": "2023-11-14 22:13:20.250000+00:00",
        "level": "warning",
        "msg": "closing AMQP connection <x>",
        "domain": "rabbitmq.connection",
    }


@pytest.mark.parametrize(
    ("text", "about"),
    [
        ("accepting AMQP connection 127.0.0.1:1 -> 127.0.0.1:2", "connection"),
        ("Channel error on connection x, channel 1", "channel"),
        ("memory resource limit alarm set", "default"),
    ],
)
def test_lines_are_about_what_their_beginning_says(text: str, about: str) -> None:
    assert category(text) == about


# -- where they go --


def test_what_the_core_noted_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="amq")
    entries = [(logging.INFO, "one is 100% done"), (logging.WARNING, "two")]
    logs.publish(entries)
    assert entries == []
    assert [(line.levelname, line.getMessage()) for line in caplog.records] == [
        ("INFO", "one is 100% done"),
        ("WARNING", "two"),
    ]


def test_each_output_and_category_has_its_level(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wanted = LogSettings(
        console_level="error", file="amq.log", folder=str(tmp_path), file_format="logfmt", connection_level="warning"
    )
    logs.configure(Settings(log=wanted, log_level="debug"))
    logs.publish(
        [
            (logging.DEBUG, "very detailed"),
            (logging.INFO, "accepting AMQP connection x"),
            (logging.WARNING, "closing AMQP connection x"),
            (logging.ERROR, "bad"),
        ]
    )
    assert [line.split("] ")[1] for line in capsys.readouterr().err.splitlines()] == ["bad"]
    lines = (tmp_path / "amq.log").read_text().splitlines()
    assert [line.split("msg=")[1] for line in lines] == ['"very detailed"', '"closing AMQP connection x"', '"bad"']


def test_what_libraries_tell_while_they_are_debugged_is_in_no_log(capsys: pytest.CaptureFixture[str]) -> None:
    # The one that packs the headers of HTTP/2 tells of every header, passwords and cookies among them.
    logs.configure(Settings(log_level="debug"))
    logging.getLogger("hpack.hpack").debug("Decoded authorization")
    logs.Log().set_level("debug")
    logging.getLogger("hpack.hpack").info("Decoded authorization")
    logging.getLogger("hpack.hpack").warning("a worry")
    logging.getLogger("amq.server").debug("a detail")
    assert [line.split("] ")[1] for line in capsys.readouterr().err.splitlines()] == ["a worry", "a detail"]


def test_configuring_anew_replaces_outputs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(Settings(log=LogSettings(file="amq.log", folder=str(tmp_path))))
    logs.configure(Settings(log=LogSettings(console_format="json")))
    logs.publish([(logging.INFO, "once")])
    assert (tmp_path / "amq.log").read_text() == ""
    (line,) = capsys.readouterr().err.splitlines()
    assert json.loads(line)["msg"] == "once"


def test_a_file_that_cannot_be_opened_is_told_with_its_key(tmp_path: Path) -> None:
    (tmp_path / "amq.log").mkdir()
    with pytest.raises(SettingError, match=r"log\.file: .*amq\.log cannot be opened"):
        logs.configure(Settings(log=LogSettings(file="amq.log", folder=str(tmp_path))))


# -- files that begin anew --


def test_a_file_begins_anew_by_size_and_old_ones_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "log" / "amq.log"
    output = LogFile(path, 100, 2, None)
    for number in range(10):
        output.emit(record(logging.INFO, f"{number:040}"))
    output.close()
    assert sorted(each.name for each in path.parent.iterdir()) == ["amq.log", "amq.log.1", "amq.log.2"]


def test_without_old_files_the_one_is_emptied(tmp_path: Path) -> None:
    output = LogFile(tmp_path / "amq.log", 0, 0, None)
    output.emit(record(logging.INFO, "old"))
    output.doRollover()
    output.emit(record(logging.INFO, "new"))
    output.close()
    assert (tmp_path / "amq.log").read_text() == "new\n"


def test_a_file_begins_anew_by_date(tmp_path: Path) -> None:
    output = LogFile(tmp_path / "amq.log", 0, 1, "$H0")
    output.emit(record(logging.INFO, "now"))
    later = record(logging.INFO, "later")
    later.created = time.time() + 3700
    output.emit(later)
    output.close()
    assert (tmp_path / "amq.log").read_text() == "later\n"
    assert (tmp_path / "amq.log.1").read_text() == "now\n"


@pytest.mark.parametrize(
    ("date", "found"),
    [
        ("$D0", "2026-11-21 00:00"),
        ("$D23", "2026-11-20 23:00"),
        ("$H30", "2026-11-20 14:30"),
        ("$H5", "2026-11-20 15:05"),
        ("$W0D12", "2026-11-22 12:00"),
        ("$W5D14", "2026-11-27 14:00"),
        ("$M1D0", "2026-12-01 00:00"),
        ("$M31D6", "2026-12-31 06:00"),
    ],
)
def test_moments_that_come_again(date: str, found: str) -> None:
    # A Friday.
    after = time.mktime((2026, 11, 20, 14, 10, 0, 0, 0, -1))
    assert time.strftime("%Y-%m-%d %H:%M", time.localtime(next_moment(date, after))) == found


@pytest.mark.parametrize("date", ["D0", "$X1", "$D24", "$H60", "$W7D0", "$M0D1", ""])
def test_moments_that_do_not_are_refused(date: str) -> None:
    with pytest.raises(ValueError, match="no moment that comes again"):
        LogSettings(rotation_date=date)


# -- the last lines --


def test_the_tail_remembers_the_last_lines_and_gives_those_behind_a_number() -> None:
    tail = LogTail(kept=3)
    assert tail.after(0) == []
    for number in range(1, 6):
        tail.emit(record(logging.INFO, f"line {number}"))
    assert [(line.number, line.text) for line in tail.after(0)] == [(3, "line 3"), (4, "line 4"), (5, "line 5")]
    assert [line.number for line in tail.after(4)] == [5]
    assert tail.after(5) == []


def test_very_long_lines_are_cut_in_the_tail() -> None:
    tail = LogTail()
    tail.emit(record(logging.INFO, "x" * 100_000))
    assert len(tail.after(0)[0].text) == 4096
