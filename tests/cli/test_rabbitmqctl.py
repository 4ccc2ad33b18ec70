"""`amq rabbitmqctl` and its like beside what a real RabbitMQ's tools said to the same command lines."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from amq.cli.ctl import tool
from tests.cli.ctl_dialogue import SCRIPT, Heard, play
from tests.harness.process import BrokerProcess

RECORD = Path(__file__).parent / "rabbitmqctl.json"
RECORDED: list[tuple[str, Heard]] = [(each.pop("command"), Heard(**each)) for each in json.loads(RECORD.read_text())]
# What is told in other words here, with the same status: why.
OTHER_WORDS = {
    "list_vhosts name tags -q": "RabbitMQ shows nothing for a vhost that has never had tags",
    """set_policy -p ctl pol3 ( '{"max-length": 10}'""": "the words of another library for regular expressions",
    """set_policy -p ctl pol3 ^a '{"max-length": 3}' --apply-to bogus""": "RabbitMQ 3.13 knows more kinds than 3.10",
}


@pytest.fixture(scope="module")
def heard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[tuple[str, Heard]]]:
    """The script, played to a broker of amq."""
    folder = tmp_path_factory.mktemp("ctl")
    broker = BrokerProcess(folder, data=folder / "data", management=True)
    broker.start()
    try:
        assert broker.http_port
        data = ["--data", str(folder / "data")]
        overview = said(["rabbitmqctl", "cluster_status", "--formatter", "json", *data])
        node = json.loads(overview.out)["disk_nodes"][0]
        yield play(lambda command: said([*command, *data]), broker.port, node, lambda: None)
        assert "Traceback" not in broker.output()
    finally:
        broker.kill()


def said(command: list[str]) -> Heard:
    """What a command says to programs that read it."""
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        patch.setattr("sys.stdin", io.StringIO())
        status = tool.run(command[0], command[1:])
    # The folder that tells where the broker is was not part of the command that is compared.
    data = " ".join(command[-2:])
    return Heard(status, out.getvalue(), err.getvalue().replace(f" {data}", ""))


def test_the_record_is_of_this_script() -> None:
    commands = [line for line in SCRIPT.strip().splitlines() if line != "! connect"]
    assert [command for command, _ in RECORDED] == commands


@pytest.mark.parametrize("number", range(len(RECORDED)), ids=[command for command, _ in RECORDED])
def test_a_command_says_what_the_real_one_says(heard: list[tuple[str, Heard]], number: int) -> None:
    command, expected = RECORDED[number]
    found = heard[number][1]
    assert found.status == expected.status, found.err
    if command not in OTHER_WORDS:
        assert (found.out, found.err) == (expected.out, expected.err)
