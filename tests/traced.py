"""Coverage goes on where a framework has turned the tracing of Python off.

Exporting a model from PyTorch leaves a process without its trace function; all tests after that one
would count as nothing run.
"""

from __future__ import annotations

import sys

_AT_FIRST = sys.gettrace()


def pytest_runtest_setup() -> None:
    if _AT_FIRST is not None and sys.gettrace() is None:
        sys.settrace(_AT_FIRST)
