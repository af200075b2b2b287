"""What a test calls: a comparison that fails the test, or a measurement."""

from __future__ import annotations

import inspect
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import pytest

from edgeopt.benchmarks.gate.verdict import Comparison, Verdict
from edgeopt.benchmarks.result import Measurement
from edgeopt.core.errors import EdgeOptError, MeasurementError, MissingBaselineError
from edgeopt.integrations.pytest.baselines import PLACE, baseline_of, saving_name
from edgeopt.integrations.pytest.tables import comparison_rows, measurement_row
from edgeopt.pipeline import baseline as baselines
from edgeopt.pipeline.benchmark import benchmark
from edgeopt.pipeline.budgets.asked import read_options
from edgeopt.pipeline.budgets.keys import KEYS
from edgeopt.pipeline.compare import compare
from edgeopt.reports.gate_sentence import sentence

Row = dict[str, str]

_OPTIONS = frozenset(inspect.signature(compare).parameters) - {"baseline", "candidate", "progress"}
_MEASURING = frozenset(inspect.signature(benchmark).parameters) & _OPTIONS - {
    "max_latency",
    "max_memory",
    "max_size",
}
"""Options that mean something without a baseline, too."""


class InconclusiveWarning(UserWarning):
    """A comparison that the machine could not decide, in a run that lets it pass."""


@dataclass(frozen=True)
class Settings:
    """What the run's options say.

    Args:
        baseline: What artifacts are compared with; None only measures them.
        store: Where names are; None is the default.
        max_slowdown: Where a test says none; None is the comparison's own.
        max_time: Likewise, in s.
        inconclusive: ``fail``, ``skip`` or ``warn``.
        saves: Whether artifacts whose tests pass become baselines.
    """

    baseline: str | None = None
    store: str | None = None
    max_slowdown: str | None = None
    max_time: float | None = None
    inconclusive: str = "fail"
    saves: bool = False


@dataclass(repr=False)  # pytest shows it in the traceback of each test that fails
class EdgeoptBenchmark:
    """The fixture's value.

    Args:
        settings: What the run's options say.
        test: The test's id.
        saved: What the run has saved so far: the artifact of each name.
        rows: What is shown at the end.
    """

    settings: Settings
    test: str
    saved: dict[str, str]
    rows: list[Row] = field(default_factory=list)
    _waiting: list[tuple[Path, str]] = field(default_factory=list)

    def __call__(
        self, artifact: str | Path, *, baseline: str | Path | None = None, **options: Any
    ) -> Comparison | Measurement:
        """Measure an artifact, beside its baseline if the run or the test names one.

        A regression fails the test. So does what the machine can't tell, with other words, unless
        the run's ``--edgeopt-inconclusive`` skips the test or warns.

        Args:
            artifact: ``.onnx`` or ``.tflite``.
            baseline: As ``--edgeopt-baseline``, before which it comes.
            options: Those of :func:`edgeopt.compare`. Without a baseline budgets are only read.

        Returns:
            The comparison, or what was measured without a baseline.

        Raises:
            TypeError: If there is no such option.
        """
        __tracebackhide__ = True
        if unknown := options.keys() - _OPTIONS:
            raise TypeError(
                f"edgeopt_benchmark takes no {', '.join(sorted(unknown))}; it takes baseline, "
                f"{', '.join(sorted(_OPTIONS))}"
            )
        told = str(baseline) if baseline is not None else self.settings.baseline
        if told is None:
            _check_budgets(self._with_settings(options))
            return self._measured(Path(artifact), options, "")
        try:
            return self._judged(Path(artifact), baseline_of(Path(artifact), told), options)
        except MeasurementError as error:
            words = f"inconclusive: {error}"
        except EdgeOptError as error:
            _refuse(error)
        self._open(words)
        return self._measured(Path(artifact), options, "inconclusive")

    def save(self) -> None:
        """Save what waits for its test to pass."""
        for artifact, name in self._waiting:
            where = str(artifact.resolve())
            if self.saved.setdefault(name, where) != where:
                pytest.fail(
                    f"edgeopt: {self.saved[name]} was saved as {name!r} in this run, and {where} "
                    f"would replace it: put {PLACE} into --edgeopt-baseline",
                    pytrace=False,
                )
            baselines.save(artifact, name, self.settings.store)

    def _judged(
        self, artifact: Path, baseline: str, options: dict[str, Any]
    ) -> Comparison | Measurement:
        __tracebackhide__ = True
        name = saving_name(baseline) if self.settings.saves else None
        try:
            found = compare(baseline, artifact, **self._with_settings(options))
        except MissingBaselineError:
            if name is None:
                raise
            self._waiting.append((artifact, name))
            return self._measured(artifact, options, f"no baseline {name} yet")
        self.rows += comparison_rows(self.test, found)
        if found.verdict is Verdict.REGRESSION:
            pytest.fail(_words(found), pytrace=False)
        if found.verdict is not Verdict.PASS:
            self._open(_words(found))
        elif name is not None:
            self._waiting.append((artifact, name))
        return found

    def _with_settings(self, options: dict[str, Any]) -> dict[str, Any]:
        settings = self.settings
        told = {
            "store": settings.store,
            "max_slowdown": settings.max_slowdown,
            "max_time": settings.max_time,
        }
        return {**{k: v for k, v in told.items() if v is not None}, **options}

    def _measured(self, artifact: Path, options: dict[str, Any], note: str) -> Measurement:
        __tracebackhide__ = True
        kept = {key: value for key, value in options.items() if key in _MEASURING}
        try:
            (found,) = benchmark([artifact], save=False, **kept).measurements
        except EdgeOptError as error:
            _refuse(error)
        self.rows.append(measurement_row(self.test, found, note))
        return found

    def _open(self, words: str) -> None:
        __tracebackhide__ = True
        if self.settings.inconclusive == "fail":
            pytest.fail(words, pytrace=False)
        if self.settings.inconclusive == "skip":
            pytest.skip(words)
        warnings.warn(words, InconclusiveWarning, stacklevel=3)


def _check_budgets(options: dict[str, Any]) -> None:
    """Refuse a budget that can't be read on the first run, before there is a baseline."""
    __tracebackhide__ = True
    given = {name.replace("_", "-"): value for name, value in options.items()}
    try:
        read_options({key: value for key, value in given.items() if key in KEYS})
    except EdgeOptError as error:
        _refuse(error)


def _refuse(error: EdgeOptError) -> NoReturn:
    # Of its causes the error's own line says what there is to say.
    raise pytest.fail.Exception(f"edgeopt: {error}", pytrace=False) from None


def _words(found: Comparison) -> str:
    from edgeopt.cli.views.comparison import draw_comparison

    return f"{found.verdict.value}: {sentence(found)}\n\n{draw_comparison(found)}"
