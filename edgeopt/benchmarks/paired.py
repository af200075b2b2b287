"""The core that every latency and every verdict comes from: fresh processes, artifacts in turns.

A number from one run says little about the next: identical processes differ by more than most
regressions do. So artifacts that are compared share processes, in random order and short turns, and
the process is the unit. See docs/decisions and ``device.statistics.ratio``.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from edgeopt.benchmarks import messages
from edgeopt.benchmarks.artifact import Artifact
from edgeopt.benchmarks.messages import PairedAnswer, SoloAnswer
from edgeopt.benchmarks.plan import Plan, Provider
from edgeopt.benchmarks.process import Ask, ask
from edgeopt.core.precision import Format

RUNTIMES = {
    Format.ONNX: "onnxruntime",
    Format.TFLITE: "litert",
    Format.TENSORRT: "tensorrt",
}
"""What runs each format."""


@dataclass(frozen=True)
class Subject:
    """An artifact, and what it is timed with.

    Args:
        artifact: The artifact.
        inputs: The file of its inputs (``inputs.save_inputs``).
        provider: What ONNX Runtime computes an ONNX artifact on.
    """

    artifact: Artifact
    inputs: Path
    provider: Provider = Provider.CPU

    @property
    def message(self) -> messages.Subject:
        """The subject as the on-device program is told of it."""
        return messages.Subject(
            # Not resolved: external data lies beside a symbolic link, not beside what it points at.
            path=os.path.abspath(self.artifact.path),  # noqa: PTH100 - see above
            inputs=os.path.abspath(self.inputs),  # noqa: PTH100
            names=tuple(spec.name for spec in self.artifact.inputs),
            runtime=self._runtime,
        )

    @property
    def _runtime(self) -> str:
        own = RUNTIMES[self.artifact.format]
        on_gpu = self.artifact.format is Format.ONNX and self.provider is not Provider.CPU
        return f"{own}-{self.provider.value}" if on_gpu else own


def time_alone(subject: Subject, plan: Plan, by: Ask = ask) -> SoloAnswer:
    """Load, run and warm up one artifact in a fresh process of its own.

    Args:
        subject: The artifact.
        plan: How.
        by: Starts the process: here, or on a device.

    Raises:
        EdgeOptError: As ``process.ask``.
    """
    request = _request("solo", [subject], plan, seed=f"{plan.seed}/solo")
    names = [subject.artifact.name]
    return by(request, SoloAnswer, names=names, timeout=plan.patience(1))


def time_together(
    subjects: Sequence[Subject], plan: Plan, *, first: int = 0, by: Ask = ask
) -> Iterator[PairedAnswer]:
    """Time all artifacts in ``plan.processes`` fresh processes, one after another.

    Args:
        subjects: The artifacts; the same one may be there twice, as a check of the machine.
        plan: How.
        first: Number of the first process: whoever wants more processes later goes on counting, so
            that no order is drawn twice.
        by: Starts the processes: here, or on a device.

    Raises:
        EdgeOptError: As ``process.ask``.
    """
    names = [subject.artifact.name for subject in subjects]
    for process in range(first, first + plan.processes):
        request = _request("paired", subjects, plan, seed=f"{plan.seed}/{process}")
        yield by(request, PairedAnswer, names=names, timeout=plan.patience(len(subjects)))


def _request(
    task: Literal["solo", "paired"], subjects: Sequence[Subject], plan: Plan, seed: str
) -> messages.Request:
    return messages.Request(
        task=task,
        threads=plan.threads,
        seed=seed,
        warmup_seconds=plan.warmup,
        duration_seconds=plan.duration,
        subjects=tuple(subject.message for subject in subjects),
    )
