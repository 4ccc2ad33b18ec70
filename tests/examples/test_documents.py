"""What the documents show works as it is written, and where they point there is something."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from amq.broker import Broker
from amq.config.load import load
from amq.config.settings import Settings
from amq.definitions.apply import apply
from amq.definitions.parse import parse
from tests.harness.process import BrokerProcess

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted(
    str(path.relative_to(ROOT))
    for pattern in ("*.md", "docs/**/*.md", "examples/**/*.md", "tests/*.md")
    for path in ROOT.glob(pattern)
)
SECONDS = 60
# Programs that need what is not here: a TLS listener, a Celery worker.
ELSEWHERE = ("SSLOptions", "import tasks")
# What it shows are fragments of the files beside it, and tests/embed runs these.
FRAGMENTS = "examples/embedding/README.md"
# Files that the configurations of the documents name; what is in them does not matter here.
NAMED_FILES = ("ca.pem", "server.pem", "server.key", "shop.password", "definitions.json")


def blocks(document: str, language: str) -> list[str]:
    """The code blocks of a document in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", (ROOT / document).read_text(), re.MULTILINE | re.DOTALL)


def programs() -> list[tuple[str, str]]:
    """Document and text of the blocks of Python that are whole programs: those that import something."""
    return [
        (document, block)
        for document in DOCUMENTS
        for block in blocks(document, "python")
        if document != FRAGMENTS and re.search("^(import|from) ", block, re.MULTILINE)
    ]


def anchors(path: Path) -> set[str]:
    """The anchors of a document's headings."""
    headings = re.findall(r"^#+ (.+)$", path.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in headings}


def test_the_documents_are_found() -> None:
    assert {"README.md", "docs/tour.md", "examples/README.md", "tests/README.md"} <= set(DOCUMENTS)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_lead_somewhere(document: str) -> None:
    path = ROOT / document
    for link in re.findall(r"\]\(([^)\s]+)\)", path.read_text()):
        if re.match("[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = path.parent / name if name else path
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


@pytest.mark.parametrize("document", DOCUMENTS)
def test_documents_name_no_path_of_somebodys_machine(document: str) -> None:
    assert re.findall(r"/(?:home|root|tmp|work|Users)/\S*", (ROOT / document).read_text()) == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_source_files_that_a_document_names_exist(document: str) -> None:
    text = (ROOT / document).read_text()
    for name in re.findall(r"`((?:[a-z_]+/)*[a-z_0-9]+\.(?:py|cfg))`", text):
        places = [ROOT, ROOT / "src/amq", ROOT / "docs", ROOT / "tests"]
        # A program of the reader's own.
        assert name == "tasks.py" or any((place / name).exists() for place in places), name


@pytest.mark.parametrize(
    ("document", "block"), [(document, block) for document in DOCUMENTS for block in blocks(document, "ini")]
)
def test_every_configuration_is_understood(
    document: str, block: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in NAMED_FILES:
        (tmp_path / name).write_text("secret\n")
    (tmp_path / "amq.conf").write_text(block)
    _, warnings = load("amq.conf", {})
    assert warnings == []


@pytest.mark.parametrize(
    ("document", "block"), [(document, block) for document in DOCUMENTS for block in blocks(document, "json")]
)
def test_every_definition_can_be_applied(document: str, block: str) -> None:
    assert apply(parse(block), Broker(Settings(), 0.0, 0.0)) == []


@pytest.mark.parametrize(("document", "block"), [found for found in programs() if "def test_" in found[1]])
def test_every_test_that_is_shown_passes(document: str, block: str, tmp_path: Path) -> None:
    (tmp_path / "test_shown.py").write_text(block)
    ended = run(["-m", "pytest", "-p", "no:cacheprovider", "test_shown.py"], tmp_path)
    assert ended.returncode == 0, ended.stdout + ended.stderr


@pytest.mark.parametrize(
    ("document", "block"),
    [
        (document, block)
        for document, block in programs()
        if "def test_" not in block and not any(word in block for word in ELSEWHERE)
    ],
)
def test_every_program_that_is_shown_runs(document: str, block: str, tmp_path: Path, broker: BrokerProcess) -> None:
    (tmp_path / "shown.py").write_text(block.replace("127.0.0.1:5672", f"{broker.host}:{broker.port}"))
    ended = run(["shown.py"], tmp_path)
    assert (ended.returncode, ended.stderr) == (0, ""), ended.stdout + ended.stderr


def run(arguments: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run Python in a folder."""
    return subprocess.run([sys.executable, *arguments], cwd=folder, capture_output=True, text=True, timeout=SECONDS)
