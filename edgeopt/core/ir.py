"""onnx-ir, imported at half the cost.

It imports sympy for arithmetic on symbolic dimensions, which EdgeOpt never does, and that import
takes 0.2 s: a tenth of a conversion. So while onnx-ir is imported a stand-in takes sympy's place,
which imports the real one when something of it is used. (The standard library's LazyLoader doesn't
do: in Python 3.11 the import statement itself wakes its modules.)

Import ``ir`` and its passes from here.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType
from typing import Any

_DEFERRED = "sympy"


class _StandIn(ModuleType):
    """Gives the real module's attributes; while it stands in for it, functions that will."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if sys.modules.get(_DEFERRED) is self:
            return _later(name)
        return getattr(import_module(_DEFERRED), name)


def _later(name: str) -> Callable[..., Any]:
    return lambda *args: getattr(import_module(_DEFERRED), name)(*args)


@contextmanager
def _deferred() -> Iterator[None]:
    if _DEFERRED in sys.modules:
        yield
        return
    sys.modules[_DEFERRED] = _StandIn(_DEFERRED)
    try:
        yield
    finally:
        del sys.modules[_DEFERRED]


try:
    with _deferred():
        import_module("onnx_ir.passes.common")
except (TypeError, AttributeError):
    # Another version may do more with sympy at import than name its functions.
    for _name in [n for n in sys.modules if n.partition(".")[0] == "onnx_ir"]:
        del sys.modules[_name]

import onnx_ir as ir  # noqa: E402 - after it was imported under the stand-in
from onnx_ir import convenience  # noqa: E402
from onnx_ir.passes import common as passes  # noqa: E402

# What it logs is also raised or done without: nothing for Python's last resort to print.
logging.getLogger("onnx_ir").addHandler(logging.NullHandler())

__all__ = ["convenience", "ir", "passes"]
