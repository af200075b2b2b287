"""``edgeopt validate data``: whether data is fit to build on, or to judge by."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

from edgeopt.calibration.histogram import Histogram
from edgeopt.calibration.table import CalibrationTable
from edgeopt.calibration.table_file import load_table
from edgeopt.core.errors import DataError
from edgeopt.core.preprocessing import Preprocessing
from edgeopt.core.progress import Progress, silent
from edgeopt.core.scratch import scratch_folder
from edgeopt.core.tensors import TensorSpec
from edgeopt.data import Stored, check_exists, open_stored
from edgeopt.pipeline.calibrate import check_belongs
from edgeopt.pipeline.evaluation import Data
from edgeopt.pipeline.given import GivenModel, read_given
from edgeopt.pipeline.preparation import Preparation
from edgeopt.pipeline.validation.balance import check_classes, check_count, check_names
from edgeopt.pipeline.validation.drift import Pair, check_drift, check_label_drift
from edgeopt.pipeline.validation.limits import DEFAULT_PSI, Limits, read_limits
from edgeopt.pipeline.validation.observed import observed_pairs
from edgeopt.pipeline.validation.records import DataValidation, Finding, Level
from edgeopt.pipeline.validation.repeats import check_overlap, check_repeats
from edgeopt.pipeline.validation.scan import Scan, scan
from edgeopt.pipeline.validation.taker import (
    Taker,
    check_source_options,
    is_artifact,
    may_be_float,
    read_taker,
)
from edgeopt.pipeline.validation.values import Bounds, check_values, pixel_bounds
from edgeopt.pipeline.validation.verdict import judged, worst

EVALUATION = "evaluation"


def validate_data(
    data: Data,
    *,
    model: Any = None,
    evaluation: Data | None = None,
    table: str | Path | None = None,
    classes: int | None = None,
    max_duplicates: str | float = "5%",
    max_overlap: str | float = "1%",
    max_blank: str | float = "5%",
    max_outside: str | float = "1%",
    max_imbalance: float = 100.0,
    max_psi: float = DEFAULT_PSI,
    min_samples: int = 10,
    strict: bool = False,
    input: Iterable[str] = (),
    weights: str | Path | None = None,
    signature: str | None = None,
    preprocess: str | Path | Preprocessing | None = None,
    code: bool = True,
    progress: Progress = silent,
) -> DataValidation:
    """Check data: what it holds, whether it fits a model, what it has in common with other data.

    It is read once, a sample at a time; 16 bytes of each are kept.

    Args:
        data: A ``.npz``, a folder of images, ``module:function``, or a function; most often what is
            calibrated on.
        model: What it is for: an artifact, or a model as :func:`edgeopt.convert` takes it. None
            checks what can be told without.
        evaluation: Other data, checked likewise and beside ``data``: no sample should be in both,
            and the values should be distributed alike.
        table: A calibration table: the values should be distributed as those that it counted.
        classes: How many classes there are; what the model's outputs tell, or the labels, if None.
        max_duplicates: More samples than this that were there before fail.
        max_overlap: More evaluation samples than this that are in ``data`` too fail.
        max_blank: More samples than this with one single value throughout fail.
        max_outside: More values than this beyond the range of the contract's pixels, of an int8
            artifact's input, of the table or of ``data`` fail.
        max_imbalance: A class so many times as frequent as another fails.
        max_psi: A population stability index of more than this fails; from 0.1 on it is warned of.
        min_samples: Fewer fail; fewer than ten times as many are warned of.
        strict: Whether warnings are failures.
        input: Of a model that isn't an artifact, as in :func:`edgeopt.convert`.
        weights: Likewise.
        signature: Likewise.
        preprocess: The contract for pictures; an artifact's own if None.
        code: False refuses to run code that an option names.
        progress: Told how far it is.

    Returns:
        Every check; that one failed is no exception, see :func:`check_validation`.

    Raises:
        DataError: If there are no samples, one can't be read, labels are missing or no classes, or
            the model's inputs aren't there.
        ModelError: If the model can't be read.
        UsageError: If an option's value isn't allowed.
    """
    began = monotonic()
    limits = read_limits(
        max_duplicates=max_duplicates, max_overlap=max_overlap, max_blank=max_blank,
        max_outside=max_outside, max_imbalance=max_imbalance, max_psi=max_psi,
        min_samples=min_samples,
    )  # fmt: skip
    for each in (data, evaluation):
        check_exists(each)
    reference = None if table is None else load_table(Path(table))
    given = read_given(
        model, input=input, weights=weights, signature=signature, preprocess=preprocess, code=code
    )
    check_source_options(given, "--model")
    with _taker(given, progress, observed=table is not None) as taker:
        contract = given.preprocessing or (taker.preprocessing if taker else None)
        work = _Work(taker, contract, limits, classes, progress)
        if reference is not None and taker is not None and taker.graph is not None:
            check_belongs(reference, taker.graph.sha256, str(table), "the model")
        stored = work.opened(data, code)
        scanned = work.scanned(stored)
        beside = None
        if evaluation is not None:
            other = work.opened(evaluation, code, stored.specs)
            beside = work.scanned(other, "the data has" if taker is None else "")
        findings = judged(work.findings(scanned, beside, reference, str(table)), strict=strict)
    return DataValidation(
        level=worst(findings),
        findings=findings,
        data=scanned.figures,
        evaluation=None if beside is None else beside.figures,
        model=None if model is None else str(model),
        table=None if table is None else str(table),
        seconds=monotonic() - began,
    )


@contextmanager
def _taker(given: GivenModel, progress: Progress, *, observed: bool) -> Iterator[Taker | None]:
    """What a model wants; its float graph is made where it isn't an artifact, or is observed."""
    model, real = given.model, given.preprocessing is not None
    if model is None:
        yield None
    elif is_artifact(model) and not (observed and may_be_float(model)):
        yield read_taker(model, None, real=real)
    else:
        with scratch_folder() as scratch:
            yield read_taker(model, Preparation(given, scratch, progress), real=real)


@dataclass(frozen=True)
class _Work:
    """What data is checked by.

    Args:
        taker: The model; None without one.
        contract: What becomes of pictures.
        limits: What is allowed.
        classes: As the user has it.
        progress: Told how far it is.
    """

    taker: Taker | None
    contract: Preprocessing | None
    limits: Limits
    classes: int | None
    progress: Progress

    def opened(self, data: Data, code: bool, specs: tuple[TensorSpec, ...] | None = None) -> Stored:
        """Open data; without a model it is to be as other data is, and pixels are what they are."""
        if self.taker is not None:
            return open_stored(data, self.taker.inputs, self.contract, code_allowed=code)
        folder = isinstance(data, (str, Path)) and Path(data).is_dir()
        contract = self.contract or (Preprocessing() if folder else None)
        return open_stored(data, specs, contract, code_allowed=code)

    def scanned(self, stored: Stored, taker: str = "") -> Scan:
        """Go through it."""
        step = f"reading {Path(stored.record(0, 0).location).name}"
        return scan(stored, taker=taker or "the model takes", step=step, progress=self.progress)

    def findings(
        self,
        data: Scan,
        evaluation: Scan | None,
        table: CalibrationTable | None,
        named: str,
    ) -> Iterator[Finding]:
        """Every check, in the order in which they are told."""
        yield check_count(data, self.limits)
        yield from self._alone(data, "")
        if table is not None:
            yield from self._beside_table(data, table, named)
        if evaluation is not None:
            check_names(data, evaluation)
            yield from self._alone(evaluation, EVALUATION)
            yield check_overlap(data, evaluation, self.limits)
            yield from self._beside(data, evaluation)

    def _alone(self, found: Scan, data: str) -> Iterator[Finding]:
        yield from check_values(found, self.limits, self._bounds(found), data)
        yield from check_repeats(found, self.limits, data)
        known = self.classes or (self.taker.classes if self.taker else None)
        yield from check_classes(found, self.limits, known, data)

    def _bounds(self, found: Scan) -> dict[str, Bounds]:
        if self.contract is not None:
            images = [spec.name for spec in found.dataset.specs if len(spec.shape) == 4]
            return dict.fromkeys(images, pixel_bounds(self.contract))
        return self.taker.bounds if self.taker is not None else {}

    def _beside_table(self, data: Scan, table: CalibrationTable, named: str) -> Iterator[Finding]:
        beside = f"the table {named}"
        graph = self.taker.graph if self.taker is not None else None
        if graph is None:
            known = {n: t.histogram for n, t in table.tensors.items() if n in data.inputs}
            yield from check_drift(_pairs(known, data), self.limits, "", beside)
            yield from _unknown(data.inputs.keys() - known.keys(), beside)
            return
        try:
            pairs = observed_pairs(graph, table, data.dataset, self.progress)
        except DataError as error:
            yield Finding(name="drift", level=Level.FAIL, why=f"{error.message} ({error.hint})")
            return
        if not pairs:
            why = f"{beside} holds no tensor: the model has nothing to make integer"
            yield Finding(name="drift", level=Level.SKIPPED, why=why)
        yield from check_drift(pairs, self.limits, "", beside)

    def _beside(self, data: Scan, evaluation: Scan) -> Iterator[Finding]:
        known = {name: found.histogram for name, found in data.inputs.items()}
        pairs = _pairs(known, evaluation)
        yield from check_drift(pairs, self.limits, EVALUATION, "the data")
        yield from check_label_drift(data, evaluation, self.limits)


def _unknown(names: Iterable[str], beside: str) -> Iterator[Finding]:
    for name in names:
        why = (
            f"{beside} doesn't hold this input, but what the model makes of it: name the float "
            "model with --model"
        )
        yield Finding(name="drift", level=Level.SKIPPED, subject=name, why=why)


def _pairs(references: dict[str, Histogram], found: Scan) -> dict[str, Pair]:
    return {name: Pair(held, found.inputs[name].halves) for name, held in references.items()}
