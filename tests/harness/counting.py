"""What the interpreter does for a piece of code: bytecode instructions and calls, which are the same in every run.

Only functions of `src/amq` are counted (and those of further files that are named), and what they call. CPython alone
tells: from 3.12 on by `sys.monitoring`, before by trace functions. Versions differ in what they call an instruction.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, Final

import attrs

import amq

SOURCE: Final = str(Path(amq.__file__).parent)
# Numbers of tools up to 2 are kept for debuggers and the like.
TOOL: Final = 4


@attrs.frozen
class Count:
    """`opcodes` executed, and `calls` of Python functions and of those in C."""

    opcodes: float
    calls: float

    def __sub__(self, other: "Count") -> "Count":
        return Count(self.opcodes - other.opcodes, self.calls - other.calls)

    def __truediv__(self, number: int) -> "Count":
        return Count(self.opcodes / number, self.calls / number)


def counted(work: Callable[[], object], *files: str) -> Count:
    """What `work` takes in src/amq, and in the files named."""
    counter = Counter((SOURCE, *files))
    if sys.version_info >= (3, 12):
        counter.monitor(work)
    else:
        counter.trace(work)
    return Count(counter.opcodes, counter.calls)


class Counter:
    """Counts what happens in functions of `files`, which are beginnings of paths."""

    def __init__(self, files: tuple[str, ...]) -> None:
        self.files = files
        self.known: dict[CodeType, bool] = {}
        # What sys.monitoring is told about functions of others, so that it does not ask again.
        self.enough: object = None
        self.opcodes = 0
        self.calls = 0

    def ours(self, code: CodeType) -> bool:
        """Whether a function is one of those to be counted."""
        found = self.known.get(code)
        if found is None:
            found = self.known[code] = code.co_filename.startswith(self.files)
        return found

    # -- Python 3.12 and later --

    def monitor(self, work: Callable[[], object]) -> None:
        """Run `work` under sys.monitoring."""
        monitoring: Any = getattr(sys, "monitoring")  # noqa: B009 - unknown to the types of Python 3.11
        event = monitoring.events
        callbacks = {
            event.INSTRUCTION: self.on_instruction,
            event.PY_START: self.on_call,
            event.C_RETURN: self.on_call,
            event.C_RAISE: self.on_call,
        }
        monitoring.use_tool_id(TOOL, __name__)
        monitoring.restart_events()
        self.enough = monitoring.DISABLE
        try:
            for which, callback in callbacks.items():
                monitoring.register_callback(TOOL, which, callback)
            # The last two come with calls alone.
            monitoring.set_events(TOOL, event.INSTRUCTION | event.PY_START | event.CALL)
            work()
        finally:
            monitoring.set_events(TOOL, 0)
            monitoring.free_tool_id(TOOL)

    def on_instruction(self, code: CodeType, *_: object) -> object:
        """One is executed."""
        if not self.ours(code):
            return self.enough
        self.opcodes += 1
        return None

    def on_call(self, code: CodeType, *_: object) -> None:
        """A function in Python begins, or one in C ends that it called."""
        if self.ours(code):
            self.calls += 1

    # -- Python 3.11 --

    def trace(self, work: Callable[[], object]) -> None:
        """Run `work` with trace and profile functions."""
        tracing, profiling = sys.gettrace(), sys.getprofile()
        sys.setprofile(self.on_profile)
        sys.settrace(self.on_frame)
        try:
            work()
        finally:
            sys.settrace(tracing)
            sys.setprofile(profiling)

    def on_frame(self, frame: FrameType, _event: str, _argument: Any) -> Callable[..., Any] | None:
        """A function begins."""
        if not self.ours(frame.f_code):
            return None
        frame.f_trace_lines = False
        frame.f_trace_opcodes = True
        return self.on_step

    def on_step(self, _frame: FrameType, event: str, _argument: Any) -> Callable[..., Any]:
        """Something happens in it."""
        if event == "opcode":
            self.opcodes += 1
        return self.on_step

    def on_profile(self, frame: FrameType, event: str, _argument: Any) -> None:
        """A function in Python begins, or calls one in C."""
        if event in ("call", "c_call"):
            self.on_call(frame.f_code)
