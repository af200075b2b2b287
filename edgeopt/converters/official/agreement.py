"""Whether a tensor of an official converter's file is the float graph's of the same name.

Passes on both sides leave a name on a tensor that then holds something else: the root beside its
reciprocal, channels that were rescaled to be alike. One sample tells: what is the same tensor, in
whatever order of axes, reaches from the same value to the same value.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from edgeopt.converters.onnx.stepwise import open_part
from edgeopt.core.graph import FloatGraph
from edgeopt.core.ir import ir
from edgeopt.core.litert import tensors_of
from edgeopt.core.runtime import run
from edgeopt.data import Sample

_TOLERANCE = 1e-3
"""Of what is between the ends."""


def agreeing(
    file: Path, graph: FloatGraph, pairs: Mapping[int, str], sample: Sample
) -> dict[int, str]:
    """Those pairs whose tensors hold the same values.

    Args:
        file: The converter's file, float.
        graph: The float graph.
        pairs: Names of the graph's tensors, by the file's tensors.
        sample: What both run on.
    """
    ours = _ours(graph, list(dict.fromkeys(pairs.values())), sample)
    theirs = tensors_of(file, sample.inputs, list(pairs), sample.origin)
    return {
        index: name
        for (index, name), values in zip(pairs.items(), theirs, strict=True)
        if _alike(values, ours[name])
    }


def _ours(graph: FloatGraph, names: list[str], sample: Sample) -> dict[str, np.ndarray]:
    model = ir.load(graph.path)
    values = {v.name: v for node in model.graph for v in node.outputs}
    wanted = [values[name] for name in names if name in values]
    model.graph.outputs.extend(v for v in wanted if not v.is_graph_output())
    computed = [value.name or "" for value in wanted]
    session = open_part(ir.to_proto(model), graph.path.parent)
    found = dict(zip(computed, run(session, computed, sample.inputs, sample.origin), strict=True))
    return {
        **found,
        **{name: np.asarray(sample.inputs[name]) for name in names if name not in found},
    }


def _alike(one: np.ndarray, two: np.ndarray) -> bool:
    if one.size != two.size or not one.size:
        return False
    ends = np.array([[each.min(), each.max()] for each in (one, two)], np.float64)
    span = max(float(np.ptp(ends)), 1e-9)
    return bool(np.abs(ends[0] - ends[1]).max() <= _TOLERANCE * span)
