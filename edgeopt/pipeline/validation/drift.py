"""Whether values have moved away from those that something was built on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np

from edgeopt.calibration.histogram import LARGEST, Histogram
from edgeopt.calibration.stability import MODERATE, index, ks, outside, psi
from edgeopt.pipeline.validation.limits import Limits
from edgeopt.pipeline.validation.records import Finding, Level
from edgeopt.pipeline.validation.scan import Scan

Halves = tuple[Histogram, Histogram]


class Pair(NamedTuple):
    """What is compared.

    Args:
        reference: What something was built on.
        halves: What was found, every other sample and those between.
    """

    reference: Histogram
    halves: Halves

    @property
    def found(self) -> Histogram:
        """Both halves."""
        return self.halves[0].merge(self.halves[1])


def check_drift(
    pairs: Mapping[str, Pair], limits: Limits, data: str, beside: str
) -> Iterator[Finding]:
    """One finding for each pair, by what it is of.

    Args:
        pairs: By input or tensor.
        limits: What is allowed.
        data: ``evaluation`` or nothing, for the findings.
        beside: What the reference is, for messages.
    """
    for name, pair in pairs.items():
        yield _drift(name, pair, limits, data, beside)
        yield _outside(name, pair, limits, data, beside)


def _drift(name: str, pair: Pair, limits: Limits, data: str, beside: str) -> Finding:
    if (share := _too_large(pair.found)) > limits.outside.fail:
        why = f"{100 * share:.3g}% of the values are too large to be told apart: beyond 65,504"
        return Finding(name="drift", level=Level.SKIPPED, subject=name, data=data, why=why)
    value, chance = psi(pair.reference, pair.found), psi(*pair.halves)
    level, why = limits.psi.level(value), ""
    if level is not Level.PASS:
        why = f"the values are not distributed as in {beside}"
    if level is Level.FAIL and chance > value:
        level = Level.WARN
        why += ", but the samples differ as much among themselves: take more of them"
    return Finding(
        name="drift", level=level, subject=name, data=data,
        found=f"PSI {value:.3f}, KS {ks(pair.reference, pair.found):.3f}",
        limit=f"PSI at most {limits.psi.fail:g}", why=why,
        figures={"psi": value, "ks": ks(pair.reference, pair.found), "psi_of_halves": chance},
    )  # fmt: skip


def _too_large(found: Histogram) -> float:
    values, counts = found.sorted
    ends = np.abs(values) >= LARGEST
    return float((counts[ends].sum() + found.beyond) / max(found.total, 1))


def _outside(name: str, pair: Pair, limits: Limits, data: str, beside: str) -> Finding:
    share = outside(pair.reference, pair.found)
    held = pair.reference.sorted[0]
    level = limits.outside.level(share)
    return Finding(
        name="outside", level=level, subject=name, data=data,
        found=f"{100 * share:.3g}% of the values",
        limit=f"at most {100 * limits.outside.fail:g}% beyond {held[0]:.4g} to {held[-1]:.4g}"
        if len(held) else "",
        why="" if level is Level.PASS else f"they are beyond all of {beside}",
        figures={"outside": share},
    )  # fmt: skip


def check_label_drift(data: Scan, evaluation: Scan, limits: Limits) -> Iterator[Finding]:
    """Whether the classes are as frequent in both; nothing where one has no classes."""
    if data.classed < data.samples or evaluation.classed < evaluation.samples:
        return
    classes = sorted(data.classes | evaluation.classes)
    counts = [np.array([scan.classes[each] for each in classes]) for scan in (data, evaluation)]
    value = index(*counts)
    level = limits.psi.level(value)
    # What matters of labels is how good the model is for each: another mix is no fault of data.
    yield Finding(
        name="drift", level=min(level, Level.WARN, key=list(Level).index), subject="labels",
        data="evaluation", found=f"PSI {value:.3f}", limit=f"PSI at most {MODERATE:g}",
        why="" if level is Level.PASS else "the classes are not as frequent as in the data",
        figures={"psi": value},
    )  # fmt: skip
