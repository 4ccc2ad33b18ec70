"""The rules of the hot core, which let its modules be compiled as they are: `[hot]` of setup.cfg lists them."""

import ast
from configparser import ConfigParser
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
CFG = ConfigParser()
CFG.read(ROOT / "setup.cfg")
HOT = CFG["hot"]["modules"].split()
# What a compiled class cannot be a subclass of.
BUILTINS = {"bytes", "bytearray", "dict", "float", "int", "list", "memoryview", "set", "str", "tuple"}

FORBIDDEN_IMPORTS = {"attr", "attrs", "dataclasses", "enum", "logging", "os", "pyparsing", "socket", "time", "trio"}
FORBIDDEN_NAMES = {"Callable", "Enum", "Flag", "IntEnum", "IntFlag", "NamedTuple", "Protocol", "TYPE_CHECKING"}


def faults(tree: ast.Module) -> list[str]:
    """What breaks a rule, each with its line."""
    exceptions = exceptions_in(tree)
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            found += [f"line {node.lineno}: {node.name} {what}" for what in of_function(node)]
        elif isinstance(node, ast.ClassDef):
            found += [f"line {node.lineno}: {node.name} {what}" for what in of_class(node, exceptions)]
        elif isinstance(node, ast.AsyncFunctionDef | ast.Await | ast.Lambda | ast.Yield | ast.YieldFrom):
            found.append(f"line {node.lineno}: {type(node).__name__}")
        elif isinstance(node, ast.Import | ast.ImportFrom):
            found += [f"line {node.lineno}: imports {name}" for name in forbidden(node)]
    return found


def exceptions_in(tree: ast.Module) -> set[str]:
    """Names of the module's classes that are raised; those live too short for __slots__ to matter."""
    names = {"Exception", "ValueError"}
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and names & {ast.unparse(base) for base in node.bases}:
            names.add(node.name)
    return names


def of_function(node: ast.FunctionDef) -> list[str]:
    """What a function breaks."""
    found = []
    if any(isinstance(part, ast.FunctionDef | ast.ClassDef) for part in ast.walk(node) if part is not node):
        found.append("has a function or class inside")
    arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    bare = [name.arg for name in arguments if name.annotation is None and name.arg not in ("self", "cls")]
    if node.returns is None or bare:
        found.append("is not fully annotated")
    if node.args.vararg or node.args.kwarg:
        found.append("takes *args or **kwargs")
    return found


def of_class(node: ast.ClassDef, exceptions: set[str]) -> list[str]:
    """What a class breaks."""
    found = []
    if len(node.bases) > 1 or node.keywords:
        found.append("has several bases or a metaclass")
    if bases(node) & BUILTINS:
        found.append("is made of a builtin class")
    if node.decorator_list:
        found.append("is decorated")
    assigned = {ast.unparse(target) for line in node.body if isinstance(line, ast.Assign) for target in line.targets}
    if "__slots__" not in assigned and node.name not in exceptions:
        found.append("has no __slots__")
    return found


def forbidden(node: ast.Import | ast.ImportFrom) -> set[str]:
    """Imported names that have no place in the hot core."""
    names = {alias.name for alias in node.names}
    if isinstance(node, ast.Import):
        return {name for name in names if name.split(".")[0] in FORBIDDEN_IMPORTS}
    module = (node.module or "").split(".")[0]
    return names & FORBIDDEN_NAMES | ({module} & FORBIDDEN_IMPORTS)


def path_of(module: str) -> Path:
    """The file of a module or of a package's __init__."""
    path = ROOT / "src" / module.replace(".", "/")
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def bases(node: ast.ClassDef) -> set[str]:
    """Names of the classes that a class is made of."""
    return {ast.unparse(base).split(".")[-1] for base in node.bases}


def test_the_wire_queues_and_exchanges_are_hot_as_a_whole() -> None:
    found = {
        f"amq.{package}.{path.stem}"
        for package in ("wire", "queues", "exchanges")
        for path in (ROOT / "src" / "amq" / package).glob("*.py")
        if path.stem != "__init__"
    }
    assert found <= set(HOT)


@pytest.mark.parametrize("module", HOT)
def test_a_hot_module_keeps_the_rules(module: str) -> None:
    assert faults(ast.parse(path_of(module).read_text())) == []


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        ("class A:\n    pass", "A has no __slots__"),
        ("class A(bytearray):\n    __slots__ = ()", "A is made of a builtin"),
        ("class A(B, C):\n    __slots__ = ()", "A has several bases"),
        ("@attrs.define\nclass A:\n    __slots__ = ()", "A is decorated"),
        ("def f(a) -> None: ...", "f is not fully annotated"),
        ("def f(a: int): ...", "f is not fully annotated"),
        ("def f(*a: int) -> None: ...", "f takes *args"),
        ("def f() -> None:\n    def g() -> None: ...", "f has a function or class inside"),
        ("key = lambda item: item", "Lambda"),
        ("import time", "imports time"),
        ("from attrs import frozen", "imports attrs"),
        ("from typing import NamedTuple", "imports NamedTuple"),
        ("def f() -> None:\n    yield", "Yield"),
    ],
)
def test_each_rule_is_noticed(source: str, fault: str) -> None:
    assert any(fault in found for found in faults(ast.parse(source)))


def test_an_exception_needs_no_slots() -> None:
    assert faults(ast.parse("class Fault(Exception): ...\nclass ChannelFault(Fault): ...")) == []
