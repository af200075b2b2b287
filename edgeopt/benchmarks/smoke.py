"""Running an artifact in a fresh process, to see whether it runs at all and answers the same."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from edgeopt.benchmarks.artifact import Artifact
from edgeopt.benchmarks.inputs import save_inputs
from edgeopt.benchmarks.messages import Request, SmokeAnswer
from edgeopt.benchmarks.paired import Subject
from edgeopt.benchmarks.process import ask
from edgeopt.core.tensors import Batch

TIMEOUT = 600.0
"""Seconds after which a process is taken for hung."""


def smoke(
    artifact: Artifact, calls: Sequence[Batch], folder: Path, *, threads: int = 1
) -> SmokeAnswer:
    """Load an artifact and run some calls, twice each.

    Args:
        artifact: The artifact.
        calls: What each call is given, as the file takes it and in its order of inputs.
        folder: Where the inputs are written.
        threads: Threads within an operator.

    Raises:
        EdgeOptError: As ``process.ask``.
    """
    subjects = []
    for index, inputs in enumerate(calls):
        stored = folder / f"{index}.npz"
        save_inputs(inputs, stored)
        subjects.append(Subject(artifact, stored).message)
    request = Request(
        task="smoke",
        threads=threads,
        seed="",
        warmup_seconds=0.0,
        duration_seconds=0.0,
        subjects=tuple(subjects),
    )
    return ask(request, SmokeAnswer, names=[artifact.name] * len(subjects), timeout=TIMEOUT)
