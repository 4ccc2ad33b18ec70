"""`AMQ_COMPILE=1 pip install .` compiles the hot core; all else about a build stands in setup.cfg.

mypyc makes C of the modules that `[hot]` of setup.cfg lists, as they are, and a C compiler one library of all that. It
is installed beside the sources, which Python then needs for tracebacks alone. Without AMQ_COMPILE nothing is compiled,
and neither mypyc nor a C compiler is needed.
"""

import os
import sys
from configparser import ConfigParser
from pathlib import Path

from setuptools import Distribution, setup
from setuptools.command.build_ext import build_ext

# mypyc, and what has to be there for the types of what the hot core uses.
NEEDED = ["mypy[mypyc] >= 2", "attrs >= 23.2"]


def sources() -> list[str]:
    """Paths of the modules to compile."""
    cfg = ConfigParser()
    cfg.read("setup.cfg")
    return [path_of(module) for module in f"{cfg['hot']['modules']} {cfg['hot']['bases']}".split()]


def path_of(module: str) -> str:
    """The file of a module or of a package's __init__."""
    path = Path("src", *module.split("."))
    return str(path / "__init__.py" if path.is_dir() else path.with_suffix(".py"))


class CompiledDistribution(Distribution):
    """amq for one version of Python on one kind of machine."""

    def has_ext_modules(self) -> bool:
        """Yes, though what they are is known only once mypyc is there."""
        return True


class Compile(build_ext):
    """Has mypyc write the C sources before they are compiled."""

    def finalize_options(self) -> None:
        """Find out what is to be compiled: not sooner, for pip asks what is needed before it installs that."""
        if sys.implementation.name != "cpython":
            sys.exit("AMQ_COMPILE: mypyc compiles for CPython alone; PyPy is fast without it")
        # What only asks for metadata compiles nothing.
        if self.distribution.commands not in (["egg_info"], ["dist_info"]):
            from mypyc.build import mypycify

            # Modules that are not compiled are read for their types only, whatever may be missing of what they import.
            options = ["--follow-imports=silent", "--ignore-missing-imports"]
            self.distribution.ext_modules = mypycify([*options, *sources()], debug_level="0", group_name="amq")
        super().finalize_options()


if os.environ.get("AMQ_COMPILE", "0") in ("", "0"):
    setup()
else:
    setup(distclass=CompiledDistribution, cmdclass={"build_ext": Compile}, setup_requires=NEEDED)
