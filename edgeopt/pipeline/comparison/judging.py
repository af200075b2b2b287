"""From a pair on a bench to a comparison."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from time import monotonic

import msgspec

from edgeopt.benchmarks.artifact import Artifact
from edgeopt.benchmarks.device.statistics import latency as summarized
from edgeopt.benchmarks.device.statistics import quantile
from edgeopt.benchmarks.gate.alone import Both, both_alone, cost_checks
from edgeopt.benchmarks.gate.budgets import Budgets
from edgeopt.benchmarks.gate.duel import BASELINE, CANDIDATE, COPY, Duel, Rules, duel, times_by
from edgeopt.benchmarks.gate.interval import Interval
from edgeopt.benchmarks.gate.quality import quality_checks
from edgeopt.benchmarks.gate.state import held_back, voided
from edgeopt.benchmarks.gate.tails import tail_check
from edgeopt.benchmarks.gate.verdict import Check, Comparison, Side, Verdict, worst
from edgeopt.benchmarks.messages import SoloAnswer
from edgeopt.benchmarks.paired import Subject, time_alone
from edgeopt.benchmarks.result import Kind, Latency
from edgeopt.core.errors import MeasurementError
from edgeopt.core.progress import Progress
from edgeopt.pipeline.comparison.bench import Bench
from edgeopt.pipeline.comparison.pair import Pair


def compared(
    pair: Pair,
    subjects: tuple[Subject, Subject],
    bench: Bench,
    budgets: Budgets,
    rules: Rules,
    began: float,
    progress: Progress,
) -> Comparison:
    """Run a pair and judge it: first what finds mistakes, last what takes long.

    Args:
        pair: Both artifacts.
        subjects: The same, with what they are timed with.
        bench: Where.
        budgets: What is asked.
        rules: When there is a verdict on latency.
        began: When it all began, by ``time.monotonic``.
        progress: Told how far it is.

    Raises:
        EdgeOptError: As ``process.ask`` and ``Bench.quality``.
        MeasurementError: If time was up before anything could be told.
    """
    first = time_alone(subjects[1], pair.plan, bench.ask)
    checks = [*quality_checks(bench.quality(budgets.drop is not None, progress), budgets)]
    alone: Both | None = None
    if budgets.memory is not None or budgets.load is not None:
        alone = both_alone(subjects, pair.plan, progress, bench.ask)
    sizes = (pair.artifacts[0].size_bytes, pair.artifacts[1].size_bytes)
    checks += cost_checks(alone, sizes, budgets)
    found = duel(times_by(bench.ask, *subjects, pair.plan), rules, progress)
    sides = _sides(pair, found)
    checks = [
        msgspec.structs.replace(check, source=budgets.sources.get(check.name, ""))
        for check in (*_latency_checks(found, budgets, sides), *checks)
    ]
    report = _report(pair, found, sides, checks, first)
    return msgspec.structs.replace(
        report, target=bench.target, device=bench.device, seconds=monotonic() - began
    )


def _report(
    pair: Pair,
    found: Duel,
    sides: tuple[Side, Side],
    checks: Sequence[Check],
    first: SoloAnswer,
) -> Comparison:
    assert found.look is not None
    why = held_back(first.before, found.answers[-1].after)
    checks = voided(checks, why)
    return Comparison(
        verdict=worst(check.verdict for check in checks), checks=checks,
        baseline=sides[0], candidate=sides[1],
        ratio=found.look.ratio, copy=found.look.copy, detectable=found.look.detectable,
        processes=len(found.answers), seconds=0.0, kind=Kind.MEASURED, target="",
        threads=pair.plan.threads, batch=pair.batch, inputs=pair.inputs,
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


def _sides(pair: Pair, found: Duel) -> tuple[Side, Side]:
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
