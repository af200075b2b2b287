"""``edgeopt compare``: a candidate beside its baseline, and whether it may take its place."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from time import monotonic

import msgspec

from edgeopt.benchmarks.artifact import read_artifact
from edgeopt.benchmarks.gate.duel import Rules
from edgeopt.benchmarks.gate.verdict import Comparison, Verdict
from edgeopt.benchmarks.plan import Plan
from edgeopt.core.errors import GateError, MeasurementError
from edgeopt.core.preprocessing import Preprocessing
from edgeopt.core.progress import Progress, silent
from edgeopt.pipeline.baseline.fetching import fetched
from edgeopt.pipeline.budgets.asked import budgets_for, read_options
from edgeopt.pipeline.budgets.file import read_project
from edgeopt.pipeline.comparison.fit import check_fit, check_labels, open_both
from edgeopt.pipeline.comparison.judging import compared
from edgeopt.pipeline.comparison.pair import Pair
from edgeopt.pipeline.comparison.place import placed
from edgeopt.pipeline.comparison.ready import ready
from edgeopt.pipeline.evaluation import Data, read_evaluation


def compare(
    baseline: str | Path,
    candidate: str | Path,
    *,
    max_slowdown: str | float | None = None,
    max_tail: str | None = None,
    max_latency: str | None = None,
    max_memory: str | None = None,
    max_size: str | None = None,
    max_load: str | None = None,
    max_drop: str | None = None,
    min_sqnr: float | None = None,
    min_agreement: str | float | None = None,
    config: str | Path | None = None,
    store: str | Path | None = None,
    evaluation: Data | None = None,
    preprocess: str | Path | Preprocessing | None = None,
    target: str | None = None,
    threads: int | None = None,
    batch: int = 1,
    duration: float = 0.3,
    max_processes: int = 20,
    max_time: float = 300.0,
    seed: int = 0,
    code: bool = True,
    progress: Progress = silent,
) -> Comparison:
    """Time a candidate beside its baseline, on this machine or on a device, and judge it.

    Args:
        baseline: The artifact that is good enough: ``.onnx`` or ``.tflite``; or ``@NAME`` of one
            that was saved as a baseline.
        candidate: The one that is to take its place; of any format and precision, with the same
            inputs and outputs.
        max_slowdown: How much slower the candidate may be, as ``3%`` or 0.03; ``3%`` if neither
            this nor ``config`` says.
        max_tail: How much slower a tail may be, as ``p99:10%``.
        max_latency: The most its median may be: ``5ms``, or ``+10%`` of the baseline's.
        max_memory: Likewise its peak memory: ``50MB``.
        max_size: Likewise its file.
        max_load: Likewise its load time.
        max_drop: How far its top-1 accuracy may fall: ``0.5pp``; needs labelled data.
        min_sqnr: The least SQNR between the two's outputs, in dB.
        min_agreement: The least share of samples with the baseline's class: ``99%``.
        config: A project's file with budgets, as ``edgeopt.toml`` is; options given come before it,
            and it before the target's profile. Unlike the command line, this reads none unasked.
        store: Where ``@NAME`` is: a folder or a URL; ``.edgeopt/baselines`` if None.
        evaluation: Samples to compare outputs on; the first are what is timed. Seeded random
            numbers if None.
        preprocess: The contract for pictures; each artifact's own if None.
        target: A device that ssh reaches, ``PROFILE@ssh://user@host`` or a TOML file with an
            address: both artifacts go there, and all of it is measured there. An address alone is
            probed. This machine if None.
        threads: Threads within an operator; if None the target's own number, on this machine 1.
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
        UsageError: If an option's value isn't allowed, or the target is emulated; a
            :class:`MissingBaselineError` if no baseline has the name.
        UnsupportedError: If artifacts of a format, or the target's programs, can't be paired there.
        MeasurementError: If the machine has too few cores, or can't be reached.
    """
    began = monotonic()
    options = read_options(
        {
            "max-slowdown": max_slowdown,
            "max-tail": max_tail,
            "max-latency": max_latency,
            "max-memory": max_memory,
            "max-size": max_size,
            "max-load": max_load,
            "max-drop": max_drop,
            "min-sqnr": min_sqnr,
            "min-agreement": min_agreement,
        }
    )
    project = read_project(config)
    rules = Rules(0.0, max_processes, max_time)
    plan = Plan(
        threads=1 if threads is None else threads,
        batch=batch,
        duration=duration,
        processes=1,
        seed=seed,
    )
    judged_on = read_evaluation(evaluation, preprocess, code)
    new = read_artifact(candidate)
    with placed(target, progress) as place, fetched(baseline, store) as file:
        budgets = budgets_for(options, project, place.name, place.profile)
        rules = replace(rules, allowed=budgets.slowdown)
        if threads is None:
            plan = msgspec.structs.replace(plan, threads=place.threads)
        artifacts = read_artifact(file), new
        place.check(artifacts)
        check_fit(*artifacts, said=str(baseline))
        data = open_both(artifacts, judged_on)
        check_labels(data, budgets)
        pair = Pair(artifacts, data, plan)
        with ready(place, pair, budgets, progress) as (bench, subjects):
            found = compared(pair, subjects, bench, budgets, rules, began, progress)
    side = msgspec.structs.replace(found.baseline, artifact=str(baseline))
    return msgspec.structs.replace(found, baseline=side)


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
