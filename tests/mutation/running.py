"""Run a module's tests with a fault in it, in a process that has all else loaded already."""

from __future__ import annotations

import ast
import os
import resource
import sys
from collections.abc import Sequence
from enum import StrEnum
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from pathlib import Path
from types import CodeType, ModuleType


class Outcome(StrEnum):
    """What became of a mutant."""

    KILLED = "killed"
    SURVIVED = "survived"
    ENDLESS = "killed by the time it took"


class Instead(MetaPathFinder, Loader):
    """Gives other code for one module."""

    def __init__(self, module: str, code: CodeType, origin: str) -> None:
        self._module, self._code, self._origin = module, code, origin

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Only that module's."""
        if fullname != self._module:
            return None
        return ModuleSpec(fullname, self, origin=self._origin)

    def exec_module(self, module: ModuleType) -> None:
        """Run that code."""
        module.__file__ = self._origin
        exec(self._code, module.__dict__)


def load_all_else() -> None:
    """What takes long to import and isn't looked at: each process that forks then has it."""
    for name in ("numpy", "onnx", "onnx_ir", "onnxruntime", "hypothesis.extra.numpy", "msgspec"):
        __import__(name)
    __import__("pytest")
    assert not any(name.startswith("edgeopt.") for name in sys.modules)


def origin(module: str) -> Path:
    """Its file."""
    spec = find_spec(module.partition(".")[0])
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parents[1].joinpath(*module.split(".")).with_suffix(".py")


def run(module: str, tree: ast.Module, tests: Sequence[str], seconds: int) -> Outcome:
    """Run tests with other code for a module, in a process of its own.

    Args:
        module: Its name.
        tree: Its code.
        tests: Files.
        seconds: Of processor time; what takes more doesn't end.
    """
    child = os.fork()
    if child == 0:
        os._exit(_child(module, tree, tests, seconds))
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return Outcome.ENDLESS
    return Outcome.SURVIVED if os.waitstatus_to_exitcode(status) == 0 else Outcome.KILLED


def _child(module: str, tree: ast.Module, tests: Sequence[str], seconds: int) -> int:
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 1)
    os.dup2(nothing, 2)
    try:
        path = str(origin(module))
        sys.meta_path.insert(0, Instead(module, compile(tree, path, "exec"), path))
        import pytest

        # Rewriting assertions would import the package by itself, past what is put in its place.
        options = ["-x", "-q", "--assert=plain", "-p", "no:cacheprovider", "-p", "no:randomly"]
        # The same examples each time: whether a mutant is found isn't left to luck.
        return int(pytest.main([*options, "--hypothesis-seed=0", *tests]))
    except BaseException:  # noqa: BLE001 - whatever a fault makes of it, the tests didn't pass
        return 1
