"""Whether each input's values are what they should be: shapes, numbers, ranges."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from edgeopt.calibration.histogram import Histogram
from edgeopt.core.preprocessing import Preprocessing
from edgeopt.pipeline.validation.limits import Limits
from edgeopt.pipeline.validation.records import Finding, Level
from edgeopt.pipeline.validation.scan import InputScan, Scan, Tally
from edgeopt.pipeline.validation.words import a_share, plural

PIXELS = 255.0
_NARROW = 0.1
"""Pixels that fill less of their range than this were scaled before, to 0..1 most likely. The range
is that of all channels: 0..1 fills 7 % of it with the means and deviations of ImageNet."""
_TOLERANCE = 1e-3
"""Of a bound's size: values are counted as float16, which rounds them by half of this at most."""


@dataclass(frozen=True)
class Bounds:
    """Between what an input's values should lie.

    Args:
        low: The least.
        high: The greatest.
        said: Whose bounds they are, for messages.
        pixels: Whether that is what becomes of pixels from 0 to 255.
    """

    low: float
    high: float
    said: str
    pixels: bool = False


def pixel_bounds(contract: Preprocessing) -> Bounds:
    """What the contract makes of pixels from 0 to 255."""
    channels = max(len(contract.mean), len(contract.std))
    means, stds = (v * (channels // len(v)) for v in (contract.mean, contract.std))
    ends = [
        (pixel * contract.scale - mean) / std
        for pixel in (0.0, PIXELS)
        for mean, std in zip(means, stds, strict=True)
    ]
    return Bounds(min(ends), max(ends), "what the contract makes of pixels", pixels=True)


def check_values(
    scan: Scan, limits: Limits, bounds: Mapping[str, Bounds], data: str
) -> Iterator[Finding]:
    """The checks of every input.

    Args:
        scan: What was counted.
        limits: What is allowed.
        bounds: Of the inputs where they are known.
        data: ``evaluation`` or nothing, for the findings.
    """
    for name, found in scan.inputs.items():
        yield _fits(found, name, data, scan.samples)
        yield _finite(found, name, data, scan.samples)
        if name in bounds and found.low <= found.high:
            yield _range(found, name, data, bounds[name], limits)
        if found.may_be_judged_blank:
            yield _blank(found, name, data, limits, scan.samples)


def _fits(found: InputScan, name: str, data: str, samples: int) -> Finding:
    bad = found.misfits if found.misfits.count else found.unrepresentable
    shapes = {"x".join(map(str, shape)) or "a number" for shape in found.shapes}
    told = f"{'/'.join(found.dtypes)} {', '.join(sorted(shapes))}"
    if not bad.count:
        return Finding(
            name="fits", level=Level.PASS, subject=name, data=data, found=told,
            limit=str(found.spec),
        )  # fmt: skip
    return Finding(
        name="fits", level=Level.FAIL, subject=name, data=data, found=told, limit=str(found.spec),
        why=f"{_of(bad, samples)}, the first of them {bad.examples[0]}: {bad.told}",
        examples=tuple(bad.examples), figures={"samples": bad.count},
    )  # fmt: skip


def _finite(found: InputScan, name: str, data: str, samples: int) -> Finding:
    bad = found.not_finite
    return Finding(
        name="finite", level=Level.FAIL if bad.count else Level.PASS, subject=name, data=data,
        found=f"{bad.values:,} of NaN or infinity" if bad.count else "all of them",
        why=f"in {_of(bad, samples)}, the first of them {bad.examples[0]}" if bad.count else "",
        examples=tuple(bad.examples),
        figures={"samples": bad.count, "values": bad.values},
    )  # fmt: skip


def _range(found: InputScan, name: str, data: str, bounds: Bounds, limits: Limits) -> Finding:
    share = _beyond(found.histogram, bounds)
    level, why = limits.outside.level(share), ""
    if level is not Level.PASS:
        why = f"{a_share(share)} of the values lie outside of {bounds.said}"
    elif bounds.pixels and found.high - found.low < _NARROW * (bounds.high - bounds.low):
        level = Level.WARN
        why = (
            f"the values fill less than {a_share(_NARROW)} of {bounds.said}: leave the contract's "
            "scale out if they are scaled already"
        )
    return Finding(
        name="range", level=level, subject=name, data=data,
        found=f"{found.low:.4g} to {found.high:.4g}",
        limit=f"{bounds.low:.4g} to {bounds.high:.4g}", why=why,
        figures={"low": found.low, "high": found.high, "outside": share},
    )  # fmt: skip


def _beyond(histogram: Histogram, bounds: Bounds) -> float:
    slack = _TOLERANCE * max(abs(bounds.low), abs(bounds.high))
    values, counts = histogram.sorted
    beyond = (values < bounds.low - slack) | (values > bounds.high + slack)
    return float(counts[beyond].sum() / max(counts.sum(), 1))


def _blank(found: InputScan, name: str, data: str, limits: Limits, samples: int) -> Finding:
    bad, share = found.blank, found.blank.count / samples
    level, why = limits.blank.level(share), ""
    if found.low == found.high:
        level = Level.FAIL
        why = f"every value of every sample is {found.low:g}: nothing can be learnt from it"
    elif bad.count:
        why = f"{_of(bad, samples)} one single value throughout, the first of them "
        why += bad.examples[0]
    return Finding(
        name="blank", level=level, subject=name, data=data, found=plural(bad.count, "sample"),
        limit=f"at most {a_share(limits.blank.fail)}", why=why, examples=tuple(bad.examples),
        figures={"samples": bad.count, "share": share},
    )  # fmt: skip


def _of(bad: Tally, samples: int) -> str:
    return f"{bad.count:,} of {samples:,} samples"
