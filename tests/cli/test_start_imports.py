"""What `amq serve` imports before clients can connect: each of these would make every start longer."""

import subprocess
import sys

LATER = ("pyparsing", "starlette", "hypercorn", "prometheus_client", "rich", "httpx", "asyncio", "amq.management.app")


def test_a_start_without_a_configuration_file_imports_no_grammar_and_nothing_of_http() -> None:
    code = "import sys, amq.cli.main, amq.cli.serve; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    imported = set(run.stdout.split())
    assert "amq.server.server" in imported
    assert not imported.intersection(LATER)
