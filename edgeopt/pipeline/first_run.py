"""``edgeopt compare --if-missing save``: the first run of a gate, which has no baseline yet."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from edgeopt.benchmarks.artifact import read_artifact
from edgeopt.benchmarks.gate.budgets import Budgets
from edgeopt.benchmarks.gate.verdict import Comparison
from edgeopt.benchmarks.paired import time_alone
from edgeopt.benchmarks.plan import Plan
from edgeopt.core.errors import MissingBaselineError, UsageError
from edgeopt.core.progress import Progress, silent
from edgeopt.pipeline.baseline import Saved, is_named, save
from edgeopt.pipeline.compare import compare
from edgeopt.pipeline.comparison.pair import Pair
from edgeopt.pipeline.comparison.place import placed
from edgeopt.pipeline.comparison.ready import ready

_SHORT = 0.05
"""Seconds; nothing is timed."""


def compare_or_save(
    baseline: str, candidate: str | Path, *, store: str | Path | None = None, **options: Any
) -> Comparison | Saved:
    """Compare a candidate with a baseline; where there is none, it becomes the baseline.

    One that is there and damaged is an error all the same: another must not take its place unseen.

    Args:
        baseline: ``@NAME``.
        candidate: The artifact.
        store: Where the name is: a folder or a URL; ``.edgeopt/baselines`` if None.
        options: Those of :func:`edgeopt.compare`; a wrong one is found on the first run, too.

    Raises:
        UsageError: If the baseline is no name.
        ModelError, UnsupportedError: If the candidate can't be run: it becomes no baseline.
        EdgeOptError: As :func:`edgeopt.compare` and :func:`edgeopt.pipeline.baseline.save` do.
    """
    if not is_named(baseline):
        raise UsageError(
            f"--if-missing save is for baselines that have a name, and {baseline} has none",
            hint="name one as in `edgeopt compare @main`",
        )
    try:
        return compare(baseline, candidate, store=store, **options)
    except MissingBaselineError:
        _check_runs(candidate, options.get("target"), options.get("progress", silent))
        return save(candidate, baseline, store)


def _check_runs(candidate: str | Path, target: str | None, progress: Progress) -> None:
    """Run it once on random numbers: one that can't would fail every run to come."""
    artifact = read_artifact(candidate)
    with placed(target, progress) as place:
        place.check([artifact])
        pair = Pair((artifact, artifact), None, Plan(duration=_SHORT, warmup=_SHORT))
        with ready(place, pair, Budgets(0.0), progress) as (bench, (subject, _)):
            time_alone(subject, pair.plan, bench.ask)
