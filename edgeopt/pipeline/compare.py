"""``edgeopt compare``: a candidate beside its baseline, and whether it may take its place."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

import msgspec

from edgeopt.benchmarks.artifact import Artifact, read_artifact
from edgeopt.benchmarks.device.machine import usable_cores
from edgeopt.benchmarks.device.sensors import Absent
from edgeopt.benchmarks.device.statistics import latency as summarized
from edgeopt.benchmarks.device.statistics import quantile
from edgeopt.benchmarks.gate.alone import Both, both_alone, cost_checks
from edgeopt.benchmarks.gate.budgets import Budgets, read_limit, read_share, read_tail
from edgeopt.benchmarks.gate.duel import BASELINE, CANDIDATE, COPY, Duel, Rules, duel, times_here
from edgeopt.benchmarks.gate.quality import quality, quality_checks
from edgeopt.benchmarks.gate.state import held_back, voided
from edgeopt.benchmarks.gate.tails import tail_check
from edgeopt.benchmarks.gate.verdict import Check, Comparison, Interval, Side, Verdict, worst
from edgeopt.benchmarks.inputs import batch_size, save_inputs, timing_inputs
from edgeopt.benchmarks.messages import SoloAnswer
from edgeopt.benchmarks.paired import Subject, time_alone
from edgeopt.benchmarks.plan import Plan
from edgeopt.benchmarks.result import Kind, Latency
from edgeopt.core.errors import DataError, GateError, MeasurementError, ModelError, UsageError
from edgeopt.core.preprocessing import Preprocessing
from edgeopt.core.progress import Progress, silent
from edgeopt.pipeline.baseline.fetching import fetched
from edgeopt.pipeline.benchmark import Data, open_evaluation
from edgeopt.pipeline.options import read_preprocessing
from edgeopt.pipeline.search.budget import parse_agreement, parse_drop

if TYPE_CHECKING:
    from edgeopt.data import Dataset

HOST = "host"


@dataclass(frozen=True)
class _Pair:
    """Both artifacts, ready to be run.

    Args:
        artifacts: The baseline and the candidate.
        data: The same evaluation data, as each takes it; None without any.
        plan: How they are timed.
        folder: Where their inputs are.
    """

    artifacts: tuple[Artifact, Artifact]
    data: tuple[Dataset, Dataset] | None
    plan: Plan
    folder: Path


def compare(
    baseline: str | Path,
    candidate: str | Path,
    *,
    max_slowdown: str | float = "3%",
    max_tail: str | None = None,
    max_latency: str | None = None,
    max_memory: str | None = None,
    max_size: str | None = None,
    max_load: str | None = None,
    max_drop: str | None = None,
    min_sqnr: float | None = None,
    min_agreement: str | float | None = None,
    store: str | Path | None = None,
    evaluation: Data | None = None,
    preprocess: str | Path | Preprocessing | None = None,
    threads: int | None = None,
    batch: int = 1,
    duration: float = 0.3,
    max_processes: int = 20,
    max_time: float = 300.0,
    seed: int = 0,
    code: bool = True,
    progress: Progress = silent,
) -> Comparison:
    """Time a candidate beside its baseline on this machine, and judge it.

    Args:
        baseline: The artifact that is good enough: ``.onnx`` or ``.tflite``; or ``@NAME`` of one
            that was saved as a baseline.
        candidate: The one that is to take its place; of any format and precision, with the same
            inputs and outputs.
        max_slowdown: How much slower the candidate may be, as ``3%`` or 0.03.
        max_tail: How much slower a tail may be, as ``p99:10%``.
        max_latency: The most its median may be: ``5ms``, or ``+10%`` of the baseline's.
        max_memory: Likewise its peak memory: ``50MB``.
        max_size: Likewise its file.
        max_load: Likewise its load time.
        max_drop: How far its top-1 accuracy may fall: ``0.5pp``; needs labelled data.
        min_sqnr: The least SQNR between the two's outputs, in dB.
        min_agreement: The least share of samples with the baseline's class: ``99%``.
        store: Where ``@NAME`` is: a folder or a URL; ``.edgeopt/baselines`` if None.
        evaluation: Samples to compare outputs on; the first are what is timed. Seeded random
            numbers if None.
        preprocess: The contract for pictures; each artifact's own if None.
        threads: Threads within an operator; 1 if None.
        batch: Samples a call, for artifacts with a dynamic batch.
        duration: Time in each session's timed calls in each process, in s.
        max_processes: The most processes; it is inconclusive if they can't tell.
        max_time: Seconds after which no process is started.
        seed: Draws random inputs and every order.
        code: False refuses to run code that an option names.
        progress: Told how far it is.

    Raises:
        ModelError: If an artifact isn't there, can't be run, or they don't fit each other.
        DataError: If the evaluation data doesn't fit.
        UsageError: If an option's value isn't allowed; a :class:`MissingBaselineError` if no
            baseline has the name.
        MeasurementError: If this machine has too few cores.
    """
    began = monotonic()
    budgets = Budgets(
        slowdown=read_share(max_slowdown, "--max-slowdown"),
        tail=None if max_tail is None else read_tail(max_tail, "--max-tail"),
        latency=None if max_latency is None else read_limit(max_latency, "ms", "--max-latency"),
        memory=None if max_memory is None else read_limit(max_memory, "bytes", "--max-memory"),
        size=None if max_size is None else read_limit(max_size, "bytes", "--max-size"),
        load=None if max_load is None else read_limit(max_load, "ms", "--max-load"),
        drop=parse_drop(max_drop),
        sqnr=min_sqnr,
        agreement=parse_agreement(min_agreement),
    )
    rules = Rules(budgets.slowdown, max_processes, max_time)
    plan = Plan(threads=threads or 1, batch=batch, duration=duration, processes=1, seed=seed)
    _check_cores(plan.threads)
    contract = read_preprocessing(preprocess)
    new = read_artifact(candidate)
    with fetched(baseline, store) as file:
        artifacts = read_artifact(file), new
        _check_fit(*artifacts)
        opened = [open_evaluation(a, evaluation, contract, code) for a in artifacts]
        data = (opened[0], opened[1]) if opened[0] is not None and opened[1] is not None else None
        _check_labels(data, budgets)
        with tempfile.TemporaryDirectory(prefix="edgeopt-", ignore_cleanup_errors=True) as folder:
            pair = _Pair(artifacts, data, plan, Path(folder))
            found = _compared(pair, budgets, rules, began, progress)
    side = msgspec.structs.replace(found.baseline, artifact=str(baseline))
    return msgspec.structs.replace(found, baseline=side)


def _compared(
    pair: _Pair, budgets: Budgets, rules: Rules, began: float, progress: Progress
) -> Comparison:
    subjects = [_subject(pair, which) for which in range(2)]
    # What finds mistakes comes first, and what takes long last.
    first = time_alone(subjects[1], pair.plan)
    checks = [*_quality(pair, budgets, progress)]
    alone: Both | None = None
    if budgets.memory is not None or budgets.load is not None:
        alone = both_alone(subjects, pair.plan, progress)
    sizes = (pair.artifacts[0].size_bytes, pair.artifacts[1].size_bytes)
    checks += cost_checks(alone, sizes, budgets)
    found = duel(times_here(subjects[0], subjects[1], pair.plan), rules, progress)
    sides = _sides(pair, found)
    checks = [*_latency_checks(found, budgets, sides), *checks]
    return _report(pair, found, sides, checks, first, monotonic() - began)


def _report(
    pair: _Pair,
    found: Duel,
    sides: tuple[Side, Side],
    checks: Sequence[Check],
    first: SoloAnswer,
    seconds: float,
) -> Comparison:
    assert found.look is not None
    why = held_back(first.before, found.answers[-1].after)
    checks = voided(checks, why)
    verdict = worst(check.verdict for check in checks)
    size = batch_size(pair.artifacts[0], pair.plan.batch)
    source = _source(pair, 0, size)
    return Comparison(
        verdict=verdict, checks=checks, baseline=sides[0], candidate=sides[1],
        ratio=found.look.ratio, copy=found.look.copy, detectable=found.look.detectable,
        processes=len(found.answers), seconds=seconds, kind=Kind.MEASURED, target=HOST,
        threads=pair.plan.threads, batch=size, inputs=source.record(0, size),
        machine=first.machine, before=first.before, after=found.answers[-1].after,
        notes=why, ratios=found.ratios,
    )  # fmt: skip


def _latency_checks(found: Duel, budgets: Budgets, sides: tuple[Side, Side]) -> Iterator[Check]:
    yield _slowdown(found, budgets.slowdown, sides)
    calls = [
        [ns for answer in found.answers for ns in answer.samples(index)]
        for index in (BASELINE, COPY, CANDIDATE)
    ]
    if budgets.tail is not None:
        yield tail_check(budgets.tail, calls[BASELINE] + calls[COPY], calls[CANDIDATE])
    if budgets.latency is not None:
        before, after = (quantile(each, 0.5) / 1e6 for each in (calls[BASELINE], calls[CANDIDATE]))
        over = after > budgets.latency.most(before)
        yield Check(
            name="median", verdict=Verdict.REGRESSION if over else Verdict.PASS,
            budget=budgets.latency.said, unit="ms", baseline=before, candidate=after,
            why=f"at most {budgets.latency.most(before):.3f} ms is allowed" if over else "",
        )  # fmt: skip


def _slowdown(found: Duel, allowed: float, sides: tuple[Side, Side]) -> Check:
    assert found.look is not None
    ratio, copy = found.look.ratio, found.look.copy
    why = {
        Verdict.PASS: "",
        Verdict.REGRESSION: "it is slower than is allowed, whatever chance did",
        Verdict.UNFIT: "the machine finds the baseline "
        f"{copy.point:.3f} times as slow as a copy of itself",
        Verdict.INCONCLUSIVE: "time was up" if found.out_of_time else
        f"{len(found.answers)} processes can't tell: a quieter machine or more of them might",
    }[found.verdict]  # fmt: skip
    return Check(
        name="latency", verdict=found.verdict, budget=f"{100 * allowed:g}%",
        unit="ms", baseline=sides[0].latency.q10, candidate=sides[1].latency.q10,
        change=Interval(ratio.point, ratio.low, ratio.high), why=why,
    )  # fmt: skip


def _quality(pair: _Pair, budgets: Budgets, progress: Progress) -> Iterator[Check]:
    """Always runs both, on a few random samples at least: their outputs must fit each other."""
    asked = budgets.drop, budgets.sqnr, budgets.agreement
    data = pair.data if any(each is not None for each in asked) else None
    data = data or (_random(pair, 0), _random(pair, 1))
    labelled = budgets.drop is not None
    found = quality(*pair.artifacts, data, labelled=labelled, progress=progress)
    yield from quality_checks(found, budgets)


def _random(pair: _Pair, which: int) -> Dataset:
    from edgeopt.data.random import RandomDataset

    artifact = pair.artifacts[which]
    size = batch_size(artifact, pair.plan.batch)
    return RandomDataset(artifact.given(), max(8, size), pair.plan.seed)


def _source(pair: _Pair, which: int, size: int) -> Dataset:
    from edgeopt.data.random import RandomDataset

    artifact = pair.artifacts[which]
    return pair.data[which] if pair.data else RandomDataset(artifact.given(), size, pair.plan.seed)


def _subject(pair: _Pair, which: int) -> Subject:
    artifact = pair.artifacts[which]
    size = batch_size(artifact, pair.plan.batch)
    stored = pair.folder / f"{which}.npz"
    fed = timing_inputs(artifact, _source(pair, which, size), artifact.given(), size)
    save_inputs(fed, stored)
    return Subject(artifact, stored)


def _sides(pair: _Pair, found: Duel) -> tuple[Side, Side]:
    if len(found.answers) < 2:
        raise MeasurementError(
            "time was up before there were two processes", hint="give it more with --max-time"
        )
    return _side(pair.artifacts[0], found, BASELINE), _side(pair.artifacts[1], found, CANDIDATE)


def _side(artifact: Artifact, found: Duel, index: int) -> Side:
    calls = [answer.samples(index) for answer in found.answers]
    return Side(
        artifact=artifact.name,
        sha256=artifact.sha256,
        size_bytes=artifact.size_bytes,
        format=artifact.format,
        precision=artifact.precision,
        runtime=found.answers[0].runtimes[index],
        latency=msgspec.convert(summarized(calls), Latency),
    )


def _check_fit(baseline: Artifact, candidate: Artifact) -> None:
    """Refuse artifacts that don't take the same, before anything runs."""
    ours, theirs = ({s.name: s for s in a.given()} for a in (baseline, candidate))
    fits = ours.keys() == theirs.keys() and all(
        _alike(spec.shape, theirs[name].shape) for name, spec in ours.items()
    )
    if not fits:
        raise ModelError(
            f"{candidate.name} takes {_told(candidate)}, and the baseline {baseline.name} takes "
            f"{_told(baseline)}",
            hint="compare artifacts of the same model",
        )


def _alike(one: Sequence[int | str], other: Sequence[int | str]) -> bool:
    free = (isinstance(a, str) or isinstance(b, str) or a == b for a, b in zip(one, other))  # noqa: B905
    return len(one) == len(other) and all(free)


def _told(artifact: Artifact) -> str:
    return ", ".join(str(spec) for spec in artifact.given())


def _check_labels(data: tuple[Dataset, Dataset] | None, budgets: Budgets) -> None:
    if budgets.drop is None:
        return
    if data is None:
        raise UsageError("--max-drop needs labelled data", hint="name it with --evaluation")
    if not data[0].labelled:
        raise DataError(
            "the evaluation data has no labels, which --max-drop needs",
            hint="put an array `labels` into the .npz, or pictures into folders by class",
        )


def _check_cores(threads: int) -> None:
    """Before anything is started: thousands of threads would stop a machine."""
    try:
        usable = usable_cores()
    except Absent:
        return
    if usable < threads:
        raise MeasurementError(
            f"{threads} threads on {usable} usable cores measure the scheduler",
            hint="use fewer --threads, or a machine with more cores",
        )


def check_verdict(found: Comparison, inconclusive: str | None = None) -> None:
    """Turn a verdict that isn't a pass into its exit code.

    Args:
        found: The comparison.
        inconclusive: ``fail`` or ``pass``: what an open verdict counts as; neither if None.

    Raises:
        GateError: If it is a regression, or open and counts as one.
        MeasurementError: If it is open, or the machine unfit.
    """
    if found.verdict is Verdict.PASS:
        return
    bad = [c for c in found.checks if c.verdict is found.verdict]
    why = "; ".join(f"{c.name}: {c.why}" for c in bad) or "; ".join(found.notes)
    told = f"{found.candidate.artifact} beside {found.baseline.artifact}: {why}"
    if found.verdict is Verdict.REGRESSION:
        raise GateError(told, hint="mend it, or allow more")
    if inconclusive == "fail":
        raise GateError(told, hint="repeat it on a quieter machine")
    if inconclusive is None:
        raise MeasurementError(told, hint="repeat it on a quieter machine, or see --inconclusive")
