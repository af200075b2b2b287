"""Pads that a convolution can do itself."""

from __future__ import annotations

import numpy as np

from edgeopt.converters.tflite.fusions.patterns import made_by, number
from edgeopt.core.ir import ir


def fuse_pads(graph: ir.Graph) -> None:
    """Give zeros that are padded around an image to the convolution behind, where it has the word.

    TFLite's SAME may then do them for nothing.
    """
    for node in list(graph):
        if node.op_type != "Conv" or node.domain:
            continue
        pad = made_by(node.inputs[0], "Pad")
        if pad is None or node.attributes.get_string("auto_pad", "NOTSET") != "NOTSET":
            continue
        amounts = _zeros_around(pad)
        if amounts is None:
            continue
        count = len(amounts) // 2
        own = node.attributes.get_ints("pads", [0] * 2 * count)
        total = [a + b for a, b in zip(amounts, own, strict=True)]
        node.attributes.add(ir.AttrInt64s("pads", total))
        node.replace_input_with(0, pad.inputs[0])
        graph.remove(pad, safe=True)


def _zeros_around(pad: ir.Node) -> list[int] | None:
    """How many zeros are put before and behind each of an image's axes; None if it isn't that."""
    if pad.attributes.get_string("mode", "constant") != "constant" or len(pad.inputs) < 2:
        return None
    given = pad.inputs[1]
    fill = pad.inputs[2] if len(pad.inputs) > 2 else None
    axes = pad.inputs[3] if len(pad.inputs) > 3 else None
    if given is None or given.const_value is None or axes is not None:
        return None
    if fill is not None and number(fill) != 0:
        return None
    amounts = np.asarray(given.const_value.numpy()).reshape(2, -1)
    if amounts.shape[1] < 3 or (amounts < 0).any() or amounts[:, :2].any():
        return None
    return [int(n) for n in amounts[:, 2:].reshape(-1)]
