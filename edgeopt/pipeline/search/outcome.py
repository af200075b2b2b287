"""What a search comes to, for those who read the artifact's manifest and the terminal."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import msgspec

from edgeopt.converters.writer import Written
from edgeopt.core.errors import GateError
from edgeopt.core.precision import Format
from edgeopt.pipeline.search.record import SearchRecord
from edgeopt.targets import Profile, host_architecture

WHY_FLOAT = "kept float to meet the budget"
WHY_WIDE = "its activations have 16 bits to meet the budget"


def spared(written: Written, search: SearchRecord | None) -> Written:
    """What was written, saying of the layers that a search spared why they are float."""
    if search is None or search.chosen is None:
        return written
    why = dict.fromkeys(search.chosen.keep_float, WHY_FLOAT)
    why |= dict.fromkeys(search.chosen.keep_16bit, WHY_WIDE)
    layers = (
        msgspec.structs.replace(layer, reason=why.get(layer.node, layer.reason))
        for layer in written.float_layers
    )
    return replace(written, float_layers=tuple(layers))


def notes(search: SearchRecord, target: Profile) -> tuple[str, ...]:
    """What the user should know of the artifact that a search came to."""
    found = []
    point = search.point(search.chosen)
    here = target.runs_here(Format.ONNX)
    if here and point is not None and point.ratio is not None and point.ratio.low > 1:
        found.append(
            f"auto is slower than float32 here ({point.ratio.point:.2f}x): the budget leaves too "
            "little to integers"
        )
    if not search.machine and search.candidates:
        found.append(
            "auto chose its layers without their latency, which can't be measured here yet"
        )
    if search.machine and not here:
        found.append(
            f"auto chose its layers by latency on this {host_architecture()} machine, which is not "
            f"{target.name}"
        )
    if not search.complete:
        found.append("the search's time was up before every layer was asked: --search-time")
    return tuple(found)


def unreachable(search: SearchRecord, kept: Path) -> GateError:
    """The error for a budget that nothing meets.

    Args:
        search: The search.
        kept: Where its record is.
    """
    best = max(search.points, key=lambda p: search.budget.rank(p.quality))
    time = "" if search.complete else "give --search-time more seconds, "
    return GateError(
        f"the budget can't be met: the best was {search.budget.told(best.quality)}, with "
        f"{best.mix.count} of {search.layers} layers spared 8 bits",
        hint=f"allow more (--replay {kept} saves asking again), {time}or use --precision fp16 or "
        "fp32",
    )
