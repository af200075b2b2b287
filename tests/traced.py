"""Coverage goes on where something has turned the tracing of Python off.

In a process that runs all tests one after another the trace function was gone after some of them,
and what ran later counted as not run.
"""

from __future__ import annotations

import sys

_AT_FIRST = sys.gettrace()


def pytest_runtest_setup() -> None:
    if _AT_FIRST is not None and sys.gettrace() is None:
        sys.settrace(_AT_FIRST)
