"""The commands that a page shows do what the page says: each page is played to a broker of its own, from top to bottom.

A page's commands stand in blocks marked `sh`. Those in other blocks need what is not here, such as systemd.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.harness.process import BrokerProcess

ROOT: Final = Path(__file__).parents[2]
SECONDS: Final = 120
# This page's messages have to be there first: tests/management/test_browse_documents.py.
ELSEWHERE: Final = {"docs/how-to/browse-and-replay.md"}
BLOCK: Final = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PAGES: Final = sorted(
    name
    for path in [ROOT / "README.md", *ROOT.glob("docs/**/*.md")]
    if BLOCK.search(path.read_text()) and (name := str(path.relative_to(ROOT))) not in ELSEWHERE
)


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
@pytest.mark.parametrize("page", PAGES)
def test_every_command_succeeds(page: str, tmp_path: Path) -> None:
    (tmp_path / "amq.conf").write_text("log.level = info\n")
    data = tmp_path / "data"
    broker = BrokerProcess(tmp_path, data=data, management=True, options=("--config", "amq.conf"))
    broker.start()
    try:
        done = play("\n".join(BLOCK.findall((ROOT / page).read_text())), broker, tmp_path, data)
        assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr + broker.output()
        assert broker.running
        assert broker.stop() == 0
    finally:
        broker.kill()
    assert "Traceback" not in broker.output(), broker.output()


def play(commands: str, broker: BrokerProcess, folder: Path, data: Path) -> subprocess.CompletedProcess[str]:
    """Run commands one after the other, up to the first that fails; its line comes last on stderr."""
    ports = {"15672": broker.http_port, "15692": broker.figures_port, "5672": broker.port}
    local = re.sub(r"\b(15672|15692|5672)\b", lambda found: str(ports[found[0]]), commands)
    script = f"""set -eu
amq() {{ {sys.executable} -m amq "$@"; }}
curl() {{ command curl --fail-with-body "$@"; }}
{local}"""
    environment = {**os.environ, "AMQ_DATA": str(data), "AMQ_PID": str(broker.pid)}
    return subprocess.run(
        ["bash", "-c", script],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
