"""The recipe of an artifact: which of the options had a say in it."""

from __future__ import annotations

import msgspec

from edgeopt.core.manifest import Recipe
from edgeopt.core.precision import Format, Precision
from edgeopt.pipeline.calibrated import Calibrated
from edgeopt.pipeline.options import ConvertOptions
from edgeopt.pipeline.search.record import Mix
from edgeopt.targets import Profile


def recipe_of(
    options: ConvertOptions,
    target: Profile,
    fmt: Format,
    precision: Precision,
    calibrated: Calibrated | None,
    found: Mix,
) -> Recipe:
    """How an artifact was made.

    Args:
        options: All of the conversion's.
        target: The device.
        fmt: The artifact's.
        precision: Likewise.
        calibrated: What it was calibrated with; None if it wasn't.
        found: What a search spares besides.
    """
    int8, ordered = precision.static, fmt is Format.TFLITE and not options.channels_last
    recipe = Recipe(
        target=target.name,
        keep_float=(*options.keep_float, *found.keep_float) if precision.quantizes else (),
        keep_16bit=(*options.keep_16bit, *found.keep_16bit) if int8 else (),
        layout=options.layout_of(fmt) if ordered else None,
        io=options.io_of(fmt, precision) if fmt is Format.TFLITE and int8 else None,
        via=options.via if fmt is Format.TFLITE else None,
    )
    if calibrated is None:
        return recipe
    return msgspec.structs.replace(
        recipe,
        ranges=calibrated.ranges.value if int8 else None,
        effort=calibrated.effort.value,
        corrected_on=len(calibrated.places) if calibrated.effort.corrects else 0,
    )
