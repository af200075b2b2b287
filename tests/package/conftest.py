"""Where the project is, and the environments that hold EdgeOpt as it is published."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

CORE_PYTHON = "EDGEOPT_CORE_PYTHON"
WHEEL_PYTHON = "EDGEOPT_WHEEL_PYTHON"


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository."""
    return Path(__file__).parents[2]


@pytest.fixture(scope="session")
def core_python() -> str:
    """An interpreter whose environment holds EdgeOpt's sdist and its core dependencies only."""
    python = os.environ.get(CORE_PYTHON)
    if python:
        return python
    reason = f"{CORE_PYTHON} names no interpreter: `make test` builds that environment"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def wheel_python() -> str:
    """An interpreter with EdgeOpt's wheel and the extras that the README names; else this one."""
    python = os.environ.get(WHEEL_PYTHON)
    if python is None and os.environ.get("CI") == "true":
        pytest.fail(f"{WHEEL_PYTHON} names no interpreter: `make test` builds that environment")
    return python or sys.executable


@pytest.fixture
def core(core_python: str, tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs that interpreter with the arguments given, in the test's own folder."""

    def run(*args: str) -> subprocess.CompletedProcess[str]:
        # -I: neither the folder nor PYTHONPATH may lend it a package that it doesn't have.
        return subprocess.run(
            [core_python, "-I", *args],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=300,
            check=False,
        )

    return run
