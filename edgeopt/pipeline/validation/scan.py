"""One pass over data, a sample in memory at a time; of each sample 16 bytes are kept."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from edgeopt.calibration.histogram import BINS, LARGEST, Histogram
from edgeopt.core.errors import DataError
from edgeopt.core.progress import Progress
from edgeopt.core.tensors import TensorSpec
from edgeopt.data.fit import shaped
from edgeopt.pipeline.validation.contents import NUMBERS, Contents, as_taken
from edgeopt.pipeline.validation.records import DataFigures, InputFigures

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edgeopt.data import Entry, Stored

EXAMPLES = 3
"""Samples that a finding names."""
_SHAPES = 5


@dataclass
class Tally:
    """Samples with the same fault.

    Args:
        count: How many.
        examples: The first of them.
        told: What was said of the first.
        values: How many of their values have the fault, where that is counted.
    """

    count: int = 0
    examples: list[str] = field(default_factory=list)
    told: str = ""
    values: int = 0

    def add(self, origin: str, told: str = "", values: int = 0) -> None:
        """Take note of one."""
        self.count += 1
        self.values += values
        self.told = self.told or told
        if len(self.examples) < EXAMPLES:
            self.examples.append(origin)


@dataclass
class InputScan:
    """What is counted of one input.

    Args:
        spec: What it is to fit.
        taker: Who wants that, for messages.
        misfits: Samples of another shape or kind of number.
        unrepresentable: Those with integers that the input's type doesn't hold.
        not_finite: Those with NaN or infinity.
        blank: Those that are one single value throughout.
        dtypes: The types of numbers that were met, in that order.
        shapes: The shapes of samples that were met, in that order.
        low: The least finite value.
        high: The largest finite value.
    """

    spec: TensorSpec
    taker: str
    misfits: Tally = field(default_factory=Tally)
    unrepresentable: Tally = field(default_factory=Tally)
    not_finite: Tally = field(default_factory=Tally)
    blank: Tally = field(default_factory=Tally)
    dtypes: dict[str, None] = field(default_factory=dict)
    shapes: dict[tuple[int, ...], None] = field(default_factory=dict)
    low: float = np.inf
    high: float = -np.inf
    _sum: float = 0.0
    _count: int = 0
    _turn: int = 0
    _halves: NDArray[np.int64] = field(default_factory=lambda: np.zeros((2, BINS), np.int64))

    def add(self, array: NDArray[np.generic], origin: str) -> None:
        """Take in one sample's, without the batch axis."""
        self.dtypes.setdefault(array.dtype.name)
        if len(self.shapes) < _SHAPES:
            self.shapes.setdefault(array.shape)
        try:
            shaped(array, self.spec, origin, taker=self.taker)
        except DataError as error:
            self.misfits.add(origin, error.message.removeprefix(f"{origin}: "))
        if array.dtype.kind in NUMBERS:
            self._add_values(array, origin)

    def _add_values(self, array: NDArray[np.generic], origin: str) -> None:
        self._check_representable(array, origin)
        values = as_taken(array, self.spec)
        known = np.isfinite(values)
        finite = values.reshape(-1) if known.all() else values[known]
        if finite.size < values.size:
            self.not_finite.add(origin, values=values.size - finite.size)
        if not finite.size:
            return
        low, high = float(finite.min()), float(finite.max())
        self.low, self.high = min(self.low, low), max(self.high, high)
        if values.size > 1 and low == high:
            self.blank.add(origin)
        self._sum += float(finite.sum(dtype=np.float64))
        self._count += finite.size
        self._halves[self._turn] += _counts(finite)
        self._turn = 1 - self._turn

    def _check_representable(self, array: NDArray[np.generic], origin: str) -> None:
        want = np.dtype(self.spec.dtype)
        if array.dtype.kind not in "iu" or want.kind not in "iu" or not array.size:
            return
        held = np.iinfo(want)
        least, most = int(array.min()), int(array.max())
        if least < held.min or most > held.max:
            value = least if least < held.min else most
            self.unrepresentable.add(origin, f"it holds {value}, and {want} ends at {held.max}")

    @property
    def may_be_judged_blank(self) -> bool:
        """Whether one single value throughout is odd: not of a mask of ones, or of a number."""
        ranks = [len(shape) for shape in self.shapes]
        return max(ranks) > 0 and (np.dtype(self.spec.dtype).kind == "f" or max(ranks) > 2)

    @property
    def halves(self) -> tuple[Histogram, Histogram]:
        """Every other sample, and those between."""
        return Histogram.of(self._halves[0]), Histogram.of(self._halves[1])

    @property
    def histogram(self) -> Histogram:
        """Of all finite values; those beyond float16 count as its largest."""
        return Histogram.of(self._halves.sum(0))

    @property
    def figures(self) -> InputFigures:
        """What the values are."""
        known = self._count > 0
        return InputFigures(
            spec=self.spec,
            dtypes=tuple(self.dtypes),
            shapes=tuple(self.shapes),
            low=self.low if known else None,
            high=self.high if known else None,
            mean=self._sum / self._count if known else None,
        )


@dataclass
class Scan:
    """What is counted of a dataset.

    Args:
        dataset: The dataset.
        inputs: By name.
        contents: What tells whether two samples are the same.
        classes: How many samples there are of each class.
        labelled: Samples with a label.
        classed: Those whose label is a class.
        unlabelled: Those whose label is NaN or infinite, or holds such a number.
        samples: How many there are.
    """

    dataset: Stored
    inputs: dict[str, InputScan]
    contents: Contents = field(default_factory=Contents)
    classes: Counter[int] = field(default_factory=Counter)
    labelled: int = 0
    classed: int = 0
    unlabelled: Tally = field(default_factory=Tally)
    samples: int = 0

    def add(self, entry: Entry) -> None:
        """Take in one sample."""
        for name, scan in self.inputs.items():
            scan.add(entry.arrays[name], entry.origin)
        self._add_label(entry)
        self.contents.add(entry, self.dataset.specs)
        self.samples += 1

    def _add_label(self, entry: Entry) -> None:
        if entry.label is None:
            return
        self.labelled += 1
        label = np.asarray(entry.label)
        if label.size == 1 and label.dtype.kind in "iu":
            self.classed += 1
            self.classes[int(label.reshape(()))] += 1
        elif label.dtype.kind == "f" and (bad := int(label.size - np.isfinite(label).sum())):
            self.unlabelled.add(entry.origin, values=bad)

    @property
    def figures(self) -> DataFigures:
        """What the data is."""
        classes = dict(sorted(self.classes.items())) if self.classed == self.samples else None
        return DataFigures(
            data=self.dataset.record(),
            inputs=tuple(scan.figures for scan in self.inputs.values()),
            classes=classes,
        )


def scan(dataset: Stored, *, taker: str, step: str, progress: Progress) -> Scan:
    """Go through all samples.

    Args:
        dataset: The data.
        taker: What wants its specs, for messages: ``the model takes``.
        step: What progress is called.
        progress: Told after each sample.

    Raises:
        DataError: If a sample can't be read, or only some have labels.
    """
    found = Scan(dataset, {spec.name: InputScan(spec, taker) for spec in dataset.specs})
    total = len(dataset)
    for done, entry in enumerate(dataset.entries(), 1):
        found.add(entry)
        progress(step, done, total)
    if found.labelled not in (0, found.samples):
        raise DataError(
            f"{dataset.record().location}: {found.labelled} of its {found.samples} samples have "
            "labels",
            hint="give every sample a label, or none",
        )
    return found


def _counts(values: NDArray[np.generic]) -> NDArray[np.int64]:
    halves = np.clip(values.astype(np.float32, copy=False), -LARGEST, LARGEST).astype(np.float16)
    return np.bincount(halves.view(np.uint16), minlength=BINS)
