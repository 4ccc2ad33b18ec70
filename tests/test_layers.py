"""The direction of imports is part of the design, so it is a test: `[layers]` of setup.cfg, lowest first."""

import ast
from configparser import ConfigParser
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SRC = ROOT / "src"
CFG = ConfigParser()
CFG.read(ROOT / "setup.cfg")
ORDER = CFG["layers"]["order"].split()
SHELL = set(CFG["layers"]["shell"].split())
IO = {"asyncio", "concurrent", "fcntl", "io", "logging", "mmap", "multiprocessing", "os", "pathlib", "random", "select"}
IO |= {"selectors", "shutil", "signal", "socket", "ssl", "subprocess", "sys", "tempfile", "threading", "time", "trio"}
# This package's __init__ holds the registry of what is in the package; no other does more than say what it is.
REGISTRIES = {"amq.exchanges"}
# pytest imports every installed plug-in at every start: this one must not load a broker that no test asks for.
LATE = {"amq.pytest_plugin"}


def name_of(path: Path) -> str:
    """`amq.wire.spec` for a module, `amq.wire` for the __init__ of a package."""
    return ".".join(path.relative_to(SRC).with_suffix("").parts).removesuffix(".__init__")


MODULES = {name_of(path): path for path in SRC.rglob("*.py")}
TREES = {name: ast.parse(path.read_text()) for name, path in MODULES.items()}
PACKAGES = {name for name, path in MODULES.items() if path.name == "__init__.py"}


def layer(module: str) -> str:
    """The first part of a module's name under amq; `amq` itself for the package."""
    return ([*module.split("."), "amq"])[1]


def in_shell(module: str) -> bool:
    """Whether the module may wait, open files and read the clock."""
    return module.removeprefix("amq.") in SHELL or layer(module) in SHELL


def imports(tree: ast.Module) -> set[str]:
    """The modules that a module imports; `from package import module` counts as the module."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            full = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= full & MODULES.keys()
            if full - MODULES.keys():
                found.add(node.module)
    return found


IMPORTS = {name: imports(tree) for name, tree in TREES.items()}


def test_the_tests_see_the_tree() -> None:
    assert {"amq", "amq.wire.spec", "amq.exchanges", "amq.connection.connection", "amq.server.transport"} <= set(
        MODULES
    )
    assert "amq.wire.spec" in IMPORTS["amq.wire.methods"]


def test_every_module_has_a_layer_and_every_layer_a_module() -> None:
    assert {layer(name) for name in MODULES if name != "amq"} == set(ORDER)


def test_the_shell_is_made_of_layers_and_modules_that_exist() -> None:
    assert {name for name in SHELL if name not in ORDER and f"amq.{name}" not in MODULES} == set()


@pytest.mark.parametrize("module", sorted(MODULES.keys() - {"amq"}))
def test_imports_point_down(module: str) -> None:
    mine = ORDER.index(layer(module))
    ours = {name for name in IMPORTS[module] if name.startswith("amq.")}
    assert {name for name in ours if ORDER.index(layer(name)) > mine} == set()


@pytest.mark.parametrize("module", sorted(MODULES))
def test_imports_are_absolute(module: str) -> None:
    nodes = [node for node in ast.walk(TREES[module]) if isinstance(node, ast.ImportFrom)]
    assert [node.lineno for node in nodes if node.level] == []


@pytest.mark.parametrize("module", sorted(MODULES.keys() - LATE))
def test_imports_stand_at_the_head_of_their_module(module: str) -> None:
    nodes = [node for node in ast.walk(TREES[module]) if isinstance(node, ast.Import | ast.ImportFrom)]
    assert [node.lineno for node in nodes if node not in TREES[module].body] == []


@pytest.mark.parametrize("module", sorted(MODULES))
def test_groups_of_exceptions_are_split_by_hand(module: str) -> None:
    # PyPy 3.11 fails over `except*` in a task that is cancelled meanwhile.
    assert [node.lineno for node in ast.walk(TREES[module]) if isinstance(node, ast.TryStar)] == []


@pytest.mark.parametrize("module", sorted(name for name in MODULES if not in_shell(name)))
def test_the_core_does_no_io(module: str) -> None:
    assert {name.split(".")[0] for name in IMPORTS[module]} & IO == set()


@pytest.mark.parametrize("module", sorted(name for name in MODULES if not in_shell(name)))
def test_the_core_does_not_wait(module: str) -> None:
    waiting = (ast.AsyncFunctionDef, ast.Await, ast.AsyncFor, ast.AsyncWith)
    assert [node.lineno for node in ast.walk(TREES[module]) if isinstance(node, waiting)] == []


def test_pyparsing_lives_in_lang_alone() -> None:
    users = {name for name, found in IMPORTS.items() if "pyparsing" in {used.split(".")[0] for used in found}}
    assert {layer(name) for name in users} == {"lang"}


def test_no_import_cycles() -> None:
    done: set[str] = set()

    def visit(module: str, path: tuple[str, ...]) -> None:
        assert module not in path, " -> ".join([*path, module])
        if module not in done:
            for target in sorted(IMPORTS[module] & MODULES.keys()):
                visit(target, (*path, module))
            done.add(module)

    for module in MODULES:
        visit(module, ())


@pytest.mark.parametrize("package", sorted(PACKAGES - REGISTRIES))
def test_packages_are_folders_and_nothing_more(package: str) -> None:
    body = TREES[package].body
    docstring = body[:1] if package == "amq" and ast.get_docstring(TREES[package]) else []
    assert body == docstring
