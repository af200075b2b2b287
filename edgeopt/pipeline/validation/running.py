"""Whether an artifact runs, in a fresh process, and answers the same each time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from edgeopt.benchmarks.artifact import Artifact
from edgeopt.benchmarks.inputs import batch_size, calls, timing_inputs
from edgeopt.benchmarks.messages import CallAnswer, SmokeAnswer
from edgeopt.benchmarks.smoke import smoke
from edgeopt.core.errors import EdgeOptError, ModelError, UnsupportedError
from edgeopt.data import Dataset
from edgeopt.pipeline.validation.records import Finding, Level
from edgeopt.pipeline.validation.words import plural, some

CALLS = 8
"""Calls that are made; more samples than this are not needed to see an artifact run."""
OTHER_BATCH = 3


@dataclass(frozen=True)
class Ran:
    """What came of running an artifact.

    Args:
        findings: The checks.
        answer: Of the first process; None if it didn't run.
    """

    findings: tuple[Finding, ...]
    answer: SmokeAnswer | None


def check_running(artifact: Artifact, data: Dataset, folder: Path, threads: int) -> Ran:
    """Run an artifact in two fresh processes, and on another batch in a third.

    Args:
        artifact: The artifact.
        data: What it is run on: the first samples.
        folder: For the inputs.
        threads: Threads within an operator.

    Raises:
        MeasurementError: If the runtime isn't there, memory or time runs out.
    """
    answers: list[SmokeAnswer] = []
    try:
        answers += [run_once(artifact, data, folder, threads) for _ in range(2)]
    except (ModelError, UnsupportedError) as error:
        return Ran((_refused("runs", error, artifact),), None)
    first = answers[0]
    outputs = ", ".join(f"{o.name}[{','.join(map(str, o.shape))}]" for o in first.calls[0].outputs)
    runs = Finding(
        name="runs", level=Level.PASS, found=f"{plural(len(first.calls), 'call')}: {outputs}"
    )
    findings = [runs, _deterministic(answers), *_finite(first.calls)]
    if any(spec.batched for spec in artifact.inputs):
        findings.append(_batch(artifact, data, folder, threads))
    return Ran(tuple(findings), first)


def run_once(artifact: Artifact, data: Dataset, folder: Path, threads: int) -> SmokeAnswer:
    """Run an artifact in a fresh process.

    Raises:
        ModelError: If it can't be run, or crashes.
        UnsupportedError: If the runtime lacks one of its operators.
        MeasurementError: If the runtime isn't there, memory or time runs out.
    """
    samples = data.samples(0, CALLS * batch_size(artifact, 1))
    given = [artifact.stored(batch) for _, batch in calls(artifact, samples)]
    return smoke(artifact, given, folder, threads=threads)


def _refused(name: str, error: EdgeOptError, artifact: Artifact) -> Finding:
    told = error.message.removeprefix(f"{artifact.name}: ")
    return Finding(name=name, level=Level.FAIL, found="no", why=f"{told} ({error.hint})")


def _deterministic(answers: Sequence[SmokeAnswer]) -> Finding:
    within = _differing(answers[0].calls, (call.again for call in answers[0].calls))
    between = _differing(answers[0].calls, (_digests(call) for call in answers[1].calls))
    bad = within or between
    where = "in the same session" if within else "in another process"
    return Finding(
        name="deterministic", level=Level.FAIL if bad else Level.PASS,
        found="no" if bad else "the same bytes in two runs of two processes",
        why=f"the same input gives another {some(bad, len(bad))} {where}: look for random numbers "
        "or a state in the graph" if bad else "",
    )  # fmt: skip


def _differing(calls: Sequence[CallAnswer], again: Iterable[Sequence[str]]) -> list[str]:
    """The outputs that differ in any call."""
    found = {
        output.name: None
        for call, digests in zip(calls, again, strict=True)
        for output, digest in zip(call.outputs, digests, strict=True)
        if output.digest != digest
    }
    return list(found)


def _digests(call: CallAnswer) -> tuple[str, ...]:
    return tuple(output.digest for output in call.outputs)


def _finite(calls: Sequence[CallAnswer]) -> Iterator[Finding]:
    for index, output in enumerate(calls[0].outputs):
        each = [call.outputs[index] for call in calls]
        bad = sum(one.not_finite for one in each)
        total = sum(one.values for one in each)
        hit = sum(one.not_finite > 0 for one in each)
        yield Finding(
            name="finite", level=Level.FAIL if bad else Level.PASS, subject=output.name,
            found=f"{bad:,} of {total:,} NaN or infinite" if bad else "all of them",
            why=f"in {hit} of {plural(len(each), 'call')}: `edgeopt diagnose` shows where from"
            if bad else "",
            figures={"not_finite": bad, "values": total},
        )  # fmt: skip


def _batch(artifact: Artifact, data: Dataset, folder: Path, threads: int) -> Finding:
    call = timing_inputs(artifact, data, artifact.given(), OTHER_BATCH)
    try:
        answer = smoke(artifact, [call], folder, threads=threads)
    except (ModelError, UnsupportedError) as error:
        return _refused("batch", error, artifact)
    outputs = answer.calls[0].outputs
    bad = sum(output.not_finite for output in outputs)
    shapes = ", ".join(f"{o.name}[{','.join(map(str, o.shape))}]" for o in outputs)
    return Finding(
        name="batch", level=Level.FAIL if bad else Level.PASS,
        found=f"{OTHER_BATCH} samples a call: {shapes}",
        why="it gives NaN or infinity then" if bad else "",
    )  # fmt: skip
