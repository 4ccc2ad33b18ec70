"""What the hot core says to mypyc, which may compile it; where nothing is compiled, it says nothing.

mypyc knows its decorator by where that is defined, which is what the stub beside this file is for. Nothing of mypyc is
needed when the broker runs.
"""

from collections.abc import Callable
from typing import TypeVar

Class = TypeVar("Class", bound=type)


def mypyc_attr(*, allow_interpreted_subclasses: bool) -> Callable[[Class], Class]:
    """Decorate a class of which others than the hot core make subclasses: plug-ins, the shell, tests."""
    assert allow_interpreted_subclasses, "there is no need to say it otherwise"
    return _as_it_is


def _as_it_is(cls: Class) -> Class:
    return cls
