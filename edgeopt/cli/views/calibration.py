"""How ``edgeopt calibrate`` tells what it made."""

from __future__ import annotations

from edgeopt.cli.figures import plural, size
from edgeopt.cli.views.conversion import samples
from edgeopt.pipeline.calibrate import CalibrationResult

_SAMPLING = {
    "exact": "every element",
    "part": "at least 4,096 elements of each image tensor, every one of the others",
    "groups": "as much, but each sample shows a quarter of the tensors only",
}


def draw_calibration(result: CalibrationResult) -> str:
    """What the table holds and where it is."""
    header = result.header
    counted = sorted({_SAMPLING[m.sampling.value] for m in header.makings})
    lines = [
        f"{plural(result.tensors, 'tensor')} observed on {' and '.join(map(samples, header.data))}"
        f" in {result.seconds:.1f} s.",
        f"Counted of each sample: {'; '.join(counted)}.",
    ]
    if result.resumed_at:
        lines.append(f"The first {plural(result.resumed_at, 'sample')} were there already.")
    if result.hessians:
        lines.append(f"With what rounding needs, for {plural(result.hessians, 'layer')}.")
    lines.append(f"The table is {result.path} ({size(result.size_bytes)}).")
    return "\n".join(lines) + "\n"
