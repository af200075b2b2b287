"""A QDQ model's twin in unsigned integers: the same function, which any CPU sums exactly.

ONNX Runtime's x86 kernels for uint8 by int8 add pairs of products in 16 bits where the CPU has no
VNNI, and those sums saturate. Its kernels for uint8 by uint8 add in 32 bits everywhere. An integer
and its zero point, both moved by 128, stand for the same number: so the twin runs in fast integer
kernels, on any machine, and gives what the model gives on a CPU that sums exactly.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import onnx

MOVE = 128
PAIR_OPS = frozenset({"QuantizeLinear", "DequantizeLinear"})


def unsigned_twin(model: onnx.ModelProto) -> onnx.ModelProto:
    """Move int8 weights, activations and zero points to uint8.

    Args:
        model: A QDQ model; not changed.

    Returns:
        The twin; an equal copy where an integer activation goes to anything but DequantizeLinear.
    """
    import onnx
    from onnx import numpy_helper

    twin = onnx.ModelProto()
    twin.CopyFrom(model)
    moved = _movable(twin.graph)
    for tensor in twin.graph.initializer:
        if tensor.name in moved and tensor.data_type == onnx.TensorProto.INT8:
            wide = numpy_helper.to_array(tensor).astype(np.int16) + MOVE
            tensor.CopyFrom(numpy_helper.from_array(wide.astype(np.uint8), tensor.name))
    return twin


def _movable(graph: onnx.GraphProto) -> set[str]:
    """Inputs of pairs with a zero point: none if something else knows one of them."""
    known: set[str] = {output.name for output in graph.output}
    moved: set[str] = set()
    for node in graph.node:
        if node.op_type not in PAIR_OPS or len(node.input) < 3 or not node.input[2]:
            known.update(node.input)
            continue
        moved.add(node.input[2])
        moved.add(node.input[0] if node.op_type == "DequantizeLinear" else node.output[0])
    return set() if moved & known else moved
