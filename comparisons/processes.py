"""Timing whole processes in turns: every side fresh, in random order.

The machine's speed drifts, so it is the ratio within a round that counts, never one side's seconds.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

Command = Sequence[str]

LONGEST = 1800.0
"""How long one process may take, in s, before it counts as failed."""

WEIGHED = Path(__file__).resolve().parent / "weighed.py"
"""Starts what is measured: see there why."""

ONE_CORE = ("taskset", "-c", "0") if shutil.which("taskset") else ()
ONE_THREAD = {
    "PYTHONPATH": str(Path(__file__).resolve().parent / "one_core"),
    **dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1"),
}
# What tools report home would be timed with them.
QUIET = {"ORT_DISABLE_TELEMETRY": "1", "OLIVE_DISABLE_TELEMETRY": "1", "NNCF_CI": "1"}


class ProcessFailedError(RuntimeError):
    """A process ended badly.

    Args:
        command: What was run.
        output: The end of what it printed.
    """

    def __init__(self, command: Command, output: str) -> None:
        super().__init__(f"{' '.join(command)} failed:\n{output}")
        self.output = output

    @property
    def reason(self) -> str:
        """The last line that it printed."""
        lines = [line.strip() for line in self.output.splitlines() if line.strip()]
        return lines[-1] if lines else "it printed nothing"


@dataclass(frozen=True)
class Run:
    """One finished process.

    Args:
        seconds: From its start to its end, by the wall clock.
        cpu_seconds: User and system time of it and its children.
        peak_bytes: The largest resident set of any of its processes.
    """

    seconds: float
    cpu_seconds: float
    peak_bytes: int


def run_once(command: Command, environment: Mapping[str, str] | None = None) -> Run:
    """Run a command to its end, in an empty folder.

    ModelOpt builds an extension where it is started, and takes a repository for its sources.

    Raises:
        ProcessFailedError: If it fails, or takes longer than ``LONGEST``.
    """
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as apart:
        took = Path(apart) / "took.json"
        words = [sys.executable, "-I", "-S", str(WEIGHED), str(took), str(LONGEST), *command]
        ran = subprocess.run(
            words,
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**_as_installed(), **(environment or {})},
            check=False,
        )
        if ran.returncode != 0:
            raise ProcessFailedError(command, ran.stdout.decode(errors="replace")[-4000:])
        return Run(**json.loads(took.read_text(encoding="utf-8")))


def _as_installed() -> dict[str, str]:
    """This process's environment, but compiled modules are kept, ours as the installed peers'."""
    return {n: value for n, value in os.environ.items() if n != "PYTHONDONTWRITEBYTECODE"}


def run_on_one_core(command: Command) -> Run:
    """Run a command on the first core with one thread: as every side of calibration and int8.

    ``taskset`` holds Python and the numerical libraries to the core. ONNX Runtime would leave it,
    so a hook of ours (``one_core/``) gives each of its sessions a single thread.

    Raises:
        ProcessFailedError: If it fails, or takes longer than ``LONGEST``.
    """
    return run_once([*ONE_CORE, *command], {**ONE_THREAD, **QUIET})


def run_paired(commands: Mapping[str, Command], rounds: int, seed: int = 0) -> dict[str, list[Run]]:
    """Run each command once a round, in an order drawn anew, after one warm-up round."""
    rng = random.Random(seed)
    runs: dict[str, list[Run]] = {name: [] for name in commands}
    for number in range(rounds + 1):
        for name in rng.sample(list(commands), len(commands)):
            run = run_once(commands[name])
            if number > 0:
                runs[name].append(run)
    return runs


def ratios(above: Sequence[float], below: Sequence[float]) -> str:
    """The ratio of two sides round by round: median, smallest and largest."""
    each = [a / b for a, b in zip(above, below, strict=True)]
    return f"{statistics.median(each):.2f} [{min(each):.2f}, {max(each):.2f}]"


def median_seconds(runs: Sequence[Run]) -> float:
    """The median of the runs' wall-clock seconds."""
    return statistics.median(run.seconds for run in runs)
