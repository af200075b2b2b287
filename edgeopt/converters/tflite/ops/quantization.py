"""QuantizeLinear and DequantizeLinear: the scales that a QDQ graph holds, kept bit for bit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edgeopt.converters.tflite.model import Options, Quantization, Tensor
from edgeopt.converters.tflite.registry import lowers
from edgeopt.converters.tflite.views import View
from edgeopt.core.ir import ir

if TYPE_CHECKING:
    from edgeopt.converters.tflite.lowering import Lowering

TYPES = ("int8", "int16", "int32", "int64")
"""What LiteRT's integer kernels take; uint8 is for files of before 2020."""


@lowers("QuantizeLinear", since=10)
def quantize(node: ir.Node, lowering: Lowering) -> None:
    """Lower a QuantizeLinear."""
    view = lowering.view(node.inputs[0])
    wanted, kind = _quantization(node, lowering)
    if wanted.axis is not None:
        raise lowering.unsupported(node, "TFLite quantizes activations with one scale a tensor")
    value, scale = node.inputs[:2]
    assert value is not None
    assert scale is not None
    # Our own pairs name their scales after the tensor, whatever its value is called by now.
    name = (scale.name or "").removesuffix("_scale") or value.name or ""
    output = lowering.emit("QUANTIZE", [view.tensor], None, dtype=kind, name=name)
    output.quantization = wanted
    lowering.bind(node.outputs[0], view.at(output))


@lowers("DequantizeLinear", since=10)
def dequantize(node: ir.Node, lowering: Lowering) -> None:
    """Lower a DequantizeLinear; a constant stays integers, which its readers take or don't."""
    value = node.inputs[0]
    assert value is not None
    quantization, kind = _quantization(node, lowering)
    known = lowering.known(value)
    if known is not None:
        name = (value.name or "weights").removesuffix("_quantized")
        tensor = Tensor(name, np.dtype(kind), known.one.shape, data=known.one.astype(kind),
                        quantization=quantization)  # fmt: skip
        lowering.bind(node.outputs[0], View.of(tensor))
        return
    view = lowering.view(value)
    output = lowering.emit(
        "DEQUANTIZE", [view.tensor], Options("DequantizeOptions"), dtype=np.float32
    )
    lowering.bind(node.outputs[0], view.at(output))


def _quantization(node: ir.Node, lowering: Lowering) -> tuple[Quantization, str]:
    scale, zero = lowering.constant(node, 1), lowering.constant(node, 2)
    assert scale is not None
    kind = "uint8" if zero is None else zero.dtype.name
    if kind not in TYPES:
        raise lowering.unsupported(
            node, f"TFLite's kernels have no {kind} with scales",
            "quantize with int8 activations, as --to tflite does",
        )  # fmt: skip
    flat = np.atleast_1d(scale).reshape(-1)
    zeros = np.zeros(flat.shape, np.int64) if zero is None else np.atleast_1d(zero).reshape(-1)
    axis = node.attributes.get_int("axis", 1) if scale.ndim and flat.size > 1 else None
    value = node.inputs[0]
    if axis is not None and axis < 0 and value is not None and value.shape is not None:
        axis += len(value.shape)
    found = Quantization(tuple(map(float, flat)), tuple(map(int, zeros)), axis)
    return found, kind
