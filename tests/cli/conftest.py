"""Running the command line: in this process for what it says, in a fresh one for how it ends."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from edgeopt.cli import main

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Ran:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def line(self) -> str:
        """The only line on standard error."""
        (line,) = self.err.strip().splitlines()
        return line

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Run = Callable[..., Ran]


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str]) -> Run:
    """Run ``edgeopt`` in this process."""

    def ran(*args: object) -> Ran:
        capfd.readouterr()
        code = main([str(a) for a in args])
        out, err = capfd.readouterr()
        return Ran(code, out, err)

    return ran


@pytest.fixture
def environment() -> dict[str, str]:
    """This process's environment, in which a child finds the same packages."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, sys.path)])}


@pytest.fixture
def process(
    tmp_path: Path, environment: dict[str, str]
) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run ``edgeopt``, or Python code, as a process of its own in an empty folder."""

    def ran(*args: str, code: str = "", **variables: str) -> subprocess.CompletedProcess[str]:
        start = ["-c", code] if code else ["-m", "edgeopt"]
        return subprocess.run(
            [sys.executable, *start, *args],
            cwd=tmp_path,
            env={**environment, **variables},
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
        )

    return ran
