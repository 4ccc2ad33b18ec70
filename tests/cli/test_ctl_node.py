"""What rabbitmqctl and its like tell of the node itself, which differs from one node to another."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from amq.cli.ctl.parse import parse
from amq.cli.ctl.terms import Arguments, Atom, Tags, Version, erlang, plain, text
from amq.cli.main import main
from tests.harness.process import BrokerProcess, free_port

if TYPE_CHECKING:
    from tests.cli.broker_at_hand import Amq
    from tests.cli.conftest import Connect

SECTIONS = (
    *("Runtime", "Plugins", "Data directory", "Config files", "Log file(s)", "Alarms", "Memory", "File Descriptors"),
    *("Free Disk Space", "Totals", "Listeners"),
)


def ctl(amq: Amq, *arguments: str) -> str:
    return amq.done("rabbitmqctl", *arguments).out


def node_of(amq: Amq) -> str:
    name: str = amq.done("status", "-f", "json").json()["node"]["name"]
    return name


def test_status_has_the_sections_and_lines_that_scripts_look_for(amq: Amq) -> None:
    shown = ctl(amq, "status")
    assert tuple(re.findall("\x1b\\[1m(.*)\x1b\\[0m\n", shown)) == SECTIONS
    for line in (f"OS PID: {amq.broker.pid}", f"Node name: {node_of(amq)}", "RabbitMQ version: 3.13.7", "(none)"):
        assert line in shown.splitlines()
    assert f"Interface: 127.0.0.1, port: {amq.broker.port}, protocol: amqp, purpose: AMQP 0-9-1 and AMQP 1.0" in shown
    facts = json.loads(ctl(amq, "status", "--formatter", "json"))
    assert (facts["pid"], facts["rabbitmq_version"], facts["alarms"]) == (amq.broker.pid, "3.13.7", [])
    assert re.search(r"Total memory used: [\d.]+ mb\n", ctl(amq, "status", "--unit", "mb"))
    assert ctl(amq, "status", "--formatter", "erlang").count('{rabbitmq_version,<<"3.13.7">>}') == 1
    assert amq("rabbitmqctl", "status", "--unit", "ounces").status == 64


def test_the_cluster_is_this_node(amq: Amq) -> None:
    told = json.loads(ctl(amq, "cluster_status", "--formatter", "json"))
    node = node_of(amq)
    assert (told["running_nodes"], told["partitions"]) == ([node], {})
    assert f"\x1b[1mRunning Nodes\x1b[0m\n\n{node}\n" in ctl(amq, "cluster_status")


def test_a_node_that_is_named_must_be_this_one(amq: Amq) -> None:
    node = node_of(amq)
    assert ctl(amq, "-n", node, "-q", "ping") == "Ping succeeded\n"
    for name in (node.partition("@")[0], "rabbit", f"rabbit@{node.partition('@')[2]}"):
        assert ctl(amq, "-q", "ping", "--node", name) == "Ping succeeded\n"
    said = amq("rabbitmqctl", "-n", "other@host", "ping")
    assert said.status == 69
    assert "unable to perform an operation on node 'other@host'" in said.err
    assert f"is {node}" in said.err


# httpcore forgets the socket that could not be connected.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_broker_that_does_not_run_is_told_as_rabbitmqctl_does(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["rabbitmqctl", "list_queues", "--data", str(tmp_path)]) == 69
    assert capsys.readouterr().err.startswith("Error: unable to perform an operation on node 'amq@")
    assert main(["rabbitmqctl", "await_startup", "--data", str(tmp_path), "--timeout", "0.2"]) == 69


def test_the_version_is_that_of_the_rabbitmq_that_amq_behaves_as(amq: Amq) -> None:
    for command in (["version"], ["--version"]):
        assert ctl(amq, *command) == "3.13.7\n"
    assert amq.done("rabbitmq-diagnostics", "server_version", "-q").out == "3.13.7\n"


def test_the_environment_is_the_configuration_in_force(amq: Amq) -> None:
    assert "{heartbeat,60}" in ctl(amq, "environment")
    assert json.loads(ctl(amq, "environment", "--formatter", "json"))["heartbeat"] == 60


def test_a_report_is_everything_at_once(amq: Amq) -> None:
    shown = ctl(amq, "report")
    for banner in ("Status of node", "Cluster status of node", "Listing queues for vhost t", "Listing users"):
        assert banner in shown


def test_the_log_has_levels_that_change(amq: Amq) -> None:
    ctl(amq, "set_log_level", "error")
    try:
        assert ctl(amq, "set_log_level", "debug") == 'Setting log level to "debug" ...\n'
    finally:
        ctl(amq, "set_log_level", "info")
    assert ctl(amq, "rotate_logs").startswith("Rotating logs for node ")
    lines = amq.done("rabbitmq-diagnostics", "log_tail", "-N", "1", "-q").lines()
    assert len(lines) == 1
    assert all(re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+ \[\w+\] ", line) for line in lines)
    assert "Streaming logs" in amq.done("rabbitmq-diagnostics", "log_tail_stream", "--duration", "1").out
    assert amq.done("rabbitmq-diagnostics", "log_location", "-q").out.strip()


def test_listeners_and_their_ports_are_looked_at(amq: Amq) -> None:
    port = amq.broker.port
    found = amq.done("rabbitmq-diagnostics", "listeners", "--formatter", "json").json()["listeners"]
    assert port in [each["port"] for each in found if each["protocol"] == "amqp"]
    said = amq.done("rabbitmq-diagnostics", "check_port_connectivity").out
    assert str(port) in said and str(amq.broker.http_port) in said
    amq.done("rabbitmq-diagnostics", "check_port_listener", str(port))
    told = amq("rabbitmq-diagnostics", "check_port_listener", "1", "--formatter", "json")
    assert (told.status, told.out, json.loads(told.err)["result"]) == (69, "", "error")
    amq.done("rabbitmq-diagnostics", "check_virtual_hosts")
    assert amq.done("rabbitmq-diagnostics", "certificates", "-q").out == "No listener uses TLS\n"


def test_memory_is_broken_down(amq: Amq) -> None:
    parts = amq.done("rabbitmq-diagnostics", "memory_breakdown", "--formatter", "json").json()
    assert sum(part["bytes"] for part in parts.values()) > 1_000_000
    assert re.search(
        r"code: [\d.]+ mb \([\d.]+%\)", amq.done("rabbitmq-diagnostics", "memory_breakdown", "--unit", "mb").out
    )


def test_an_alarm_fails_the_checks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "amq.conf").write_text("vm_memory_high_watermark.absolute = 1\n")
    broker = BrokerProcess(tmp_path, options=("--config", "amq.conf"), data=tmp_path / "data", management=True)
    broker.start()
    try:
        assert broker.http_port
        where = ["--data", str(tmp_path / "data")]
        assert main(["rabbitmq-diagnostics", "check_local_alarms", *where]) == 69
        assert "Memory alarm on node" in capsys.readouterr().err
        assert main(["rabbitmq-diagnostics", "check_alarms", "--formatter", "json", *where]) == 69
        assert json.loads(capsys.readouterr().err)["alarms"] == ["memory"]
        assert main(["rabbitmq-diagnostics", "node_health_check", *where]) == 69
        assert main(["health", *where]) == 69
        assert "Memory alarm on node" in capsys.readouterr().err
    finally:
        broker.kill()


def test_plugins_that_are_part_of_amq_are_enabled(amq: Amq) -> None:
    shown = amq.done("rabbitmq-plugins", "list", "management").out
    assert re.search(r"\[E\*\] rabbitmq_management +3\.13\.7\n", shown)
    assert "rabbitmq_management\n" in amq.done("rabbitmq-plugins", "list", "-m", "-q").out
    amq.done("rabbitmq-plugins", "enable", "rabbitmq_management", "rabbitmq_prometheus")
    amq.done("rabbitmq-plugins", "is_enabled", "rabbitmq_management")
    assert amq("rabbitmq-plugins", "disable", "rabbitmq_management").status == 69
    told = amq.done("rabbitmq-plugins", "list", "--formatter", "json").json()
    assert {plugin["running"] for plugin in told["plugins"]} == {True}


def test_a_connection_is_closed_by_its_pid(amq: Amq, connect: Connect) -> None:
    connection = connect(amq.broker.port)
    (found,) = ctl(amq, "-s", "list_connections", "pid").splitlines()
    assert re.fullmatch(r"<amq@[\w.-]+\.\d+\.\d+\.\d+>", found)
    ctl(amq, "close_connection", found, "so be it")
    assert connection.is_open
    with pytest.raises(Exception, match="CONNECTION_FORCED - so be it"):
        connection.sleep(10)


def test_definitions_go_through_files_and_pipes(amq: Amq, tmp_path: Path) -> None:
    file = tmp_path / "definitions.json"
    ctl(amq, "export_definitions", str(file))
    assert "vhosts" in json.loads(file.read_text())
    assert json.loads(ctl(amq, "export_definitions", "-"))["vhosts"]
    ctl(amq, "import_definitions", str(file))
    ended = amq.process("rabbitmqctl", "import_definitions", stdin=file.read_bytes())
    assert ended.returncode == 0
    file.write_text("no json")
    assert amq("rabbitmqctl", "import_definitions", str(file)).status == 65


def test_stopping_ends_the_broker_in_good_order(tmp_path: Path) -> None:
    broker = BrokerProcess(tmp_path, data=tmp_path / "data", management=True)
    broker.start()
    try:
        assert broker.http_port
        command = [sys.executable, "-m", "amq", "rabbitmqctl", "stop", "--data", str(tmp_path / "data")]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
        assert (ended.returncode, ended.stderr) == (0, "")
        assert broker.wait() == 0
    finally:
        broker.kill()


def test_a_broker_of_another_machine_is_not_stopped_from_here(amq: Amq) -> None:
    said = amq("rabbitmqctl", "stop", "--url", f"http://guest:guest@127.0.0.2:{free_port()}")
    assert said.status == 69
    assert amq.broker.running


def test_every_tool_helps(amq: Amq) -> None:
    for tool in ("rabbitmqctl", "rabbitmq-diagnostics", "rabbitmq-plugins"):
        assert "Available commands:" in amq.done(tool, "help").out
        assert amq(tool).status == 64
    assert "[--vhost <vhost>] <username> <conf> <write> <read>" in ctl(amq, "help", "set_permissions")
    assert ctl(amq, "set_permissions", "--help") == ctl(amq, "help", "set_permissions")


# -- without a broker --


def test_options_stand_anywhere() -> None:
    switches = {"vhost": str, "quiet": bool, "timeout": float}
    short = {"p": "vhost", "q": "quiet"}
    parsed = parse(["-q", "list", "--vhost=a b", "name", "--no-quiet", "--", "-x"], switches, short)
    assert (parsed.arguments, parsed.options) == (("list", "name", "-x"), {"vhost": "a b", "quiet": False})
    wrong = parse(["--none", "--timeout", "soon", "-z", "-p"], switches, short)
    assert wrong.wrong == (("--none", ""), ("--timeout", "soon"), ("-z", ""), ("-p", ""))


@pytest.mark.parametrize(
    ("value", "shown", "json_value", "term"),
    [
        ("a", "a", "a", '<<"a">>'),
        (Atom("a"), "a", "a", "a"),
        (True, "true", True, "true"),
        (None, "", "", "''"),
        (1.5, "1.5", 1.5, "1.5"),
        (Tags(["a", "b"]), "[a, b]", ["a", "b"], "[a,b]"),
        (Version("{0,9,1}"), "{0,9,1}", [0, 9, 1], "{0,9,1}"),
        (Arguments(), "[]", [], "[]"),
        (
            Arguments({"n": 1, "t": {"s": 'q"'}, "l": [True, 2**40, 0.5]}),
            '[{"n",1},{"t",[{"s","q\\""}]},{"l",[true,1099511627776,0.5]}]',
            [
                ["n", "signedint", 1],
                ["t", "table", [["s", "longstr", 'q"']]],
                ["l", "array", [["bool", True], ["long", 2**40], ["double", 0.5]]],
            ],
            '[{<<"n">>,signedint,1},{<<"t">>,table,[{<<"s">>,longstr,<<"q\\"">>}]},'
            '{<<"l">>,array,[true,1099511627776,0.5]}]',
        ),
    ],
)
def test_values_are_written_as_rabbitmq_does(value: object, shown: str, json_value: object, term: str) -> None:
    assert (text(value), plain(value), erlang(value)) == (shown, json_value, term)


def until_limits_are(amq: Amq, memory: int, disk: int) -> None:
    """Figures of the node are a few seconds old."""
    end = time.monotonic() + 30
    limits: list[int] = []
    while limits != [memory, disk]:
        assert time.monotonic() < end, limits
        time.sleep(0.1)
        status = json.loads(ctl(amq, "status", "--formatter", "json"))
        limits = [status["vm_memory_high_watermark_limit"], status["disk_free_limit"]]


def test_the_thresholds_of_the_alarms_are_moved(amq: Amq) -> None:
    where = f"on {node_of(amq)}"
    try:
        said = ctl(amq, "set_vm_memory_high_watermark", "0.3")
        assert said == f"Setting memory threshold {where} to 0.3 ...\n"
        said = ctl(amq, "set_vm_memory_high_watermark", "absolute", "3GB")
        assert said == f"Setting memory threshold {where} to 3GB bytes ...\n"
        said = ctl(amq, "set_disk_free_limit", "mem_relative", "0.00001")
        assert said == f"Setting disk free limit {where} to 0.00001 times the total RAM ...\n"
        said = ctl(amq, "set_disk_free_limit", "60000000")
        assert said == f"Setting disk free limit {where} to 60000000 bytes ...\n"
        until_limits_are(amq, 3_000_000_000, 60_000_000)
    finally:
        amq.done("reload")


@pytest.mark.parametrize(
    "arguments",
    [
        ("set_vm_memory_high_watermark", "bogus"),
        ("set_vm_memory_high_watermark", "1.5"),
        ("set_vm_memory_high_watermark", "nan"),
        ("set_vm_memory_high_watermark", "absolute", "bogus"),
        ("set_vm_memory_high_watermark", "relative", "1"),
        ("set_disk_free_limit", "bogus"),
        ("set_disk_free_limit", "mem_relative", "bogus"),
        ("set_disk_free_limit", "mem_relative", "nan"),
    ],
)
def test_a_threshold_that_is_none_is_refused(amq: Amq, arguments: tuple[str, ...]) -> None:
    said = amq("rabbitmqctl", *arguments)
    assert (said.status, said.out) == (65, "")
    assert "Error (argument validation): Bad argument" in said.err
