"""Constants that are stored as integers or halves, and operators that compute in floats."""

from __future__ import annotations

from enum import Enum

import numpy as np

from edgeopt.converters.tflite.model import Model, Operator, Tensor


class Stored(Enum):
    """What a float operator does with weights that are stored as integers.

    ``DEQUANTIZED``: a DEQUANTIZE before it, which delegates do once, when the model is loaded.
    ``HYBRID``: the kernel rounds its activations when the model runs, and computes in integers.
    """

    DEQUANTIZED = "dequantized"
    HYBRID = "hybrid"


HYBRID_CODES = frozenset({"FULLY_CONNECTED", "CONV_2D"})
"""Operators whose hybrid kernels are fast: XNNPACK has none for depthwise convolutions."""


def place_constants(model: Model, stored: Stored) -> None:
    """Put a DEQUANTIZE before float operators that read integer constants, where they need one.

    Ensures that a constant with scales is read by integer or hybrid operators, or by DEQUANTIZE.
    """
    made: dict[Tensor, Tensor] = {}
    found: list[Operator] = []
    for op in model.operators:
        if op.code not in ("DEQUANTIZE", "QUANTIZE") and not _in_integers(op):
            keep = stored is Stored.HYBRID and op.code in HYBRID_CODES
            for index, tensor in enumerate(op.inputs):
                if tensor is None or tensor.data is None or tensor.quantization is None:
                    continue
                if not (keep and index == 1):
                    op.inputs[index] = _floats(tensor, made, found)
        found.append(op)
    model.operators = found


_FEW = 16
"""Numbers of a constant that stays as it is: its DEQUANTIZE would take more space."""


def halve_constants(model: Model) -> None:
    """Store float constants of more than a few numbers as float16, with a DEQUANTIZE behind."""
    made: dict[Tensor, Tensor] = {}
    found: list[Operator] = []
    for op in model.operators:
        for index, tensor in enumerate(op.inputs):
            if tensor is not None and _halves(tensor):
                half = made.get(tensor) or _half(tensor, found)
                made[tensor] = half
                op.inputs[index] = half
        found.append(op)
    model.operators = found


def _halves(tensor: Tensor) -> bool:
    """Whether a constant is worth halving, and float16 reaches as far as its numbers do.

    A few numbers are a mask's -1e38, or what keeps a root from being zero: 1e-12 is 0 in float16.
    """
    if tensor.data is None or tensor.dtype != np.float32 or tensor.data.size < _FEW:
        return False
    return bool(np.abs(tensor.data).max() <= np.finfo(np.float16).max)


def _half(tensor: Tensor, found: list[Operator]) -> Tensor:
    assert tensor.data is not None
    stored = Tensor(
        tensor.name, np.dtype(np.float16), tensor.shape, data=tensor.data.astype(np.float16)
    )
    floats = Tensor(f"{tensor.name}_float", np.dtype(np.float32), tensor.shape)
    found.append(Operator("DEQUANTIZE", [stored], [floats]))
    return floats


def _in_integers(op: Operator) -> bool:
    """Whether an operator gives or takes integers that stand for reals."""
    tensors = [t for t in (*op.inputs, *op.outputs) if t is not None and not t.constant]
    return any(t.quantization is not None for t in tensors)


def _floats(tensor: Tensor, made: dict[Tensor, Tensor], found: list[Operator]) -> Tensor:
    assert tensor.data is not None
    assert tensor.quantization is not None
    if tensor not in made and tensor.dtype == np.int32:  # a bias: LiteRT makes no floats of those
        real = tensor.data * np.array(tensor.quantization.scale, np.float64)
        made[tensor] = Tensor(
            tensor.name, np.dtype(np.float32), tensor.shape, data=real.astype(np.float32)
        )
    if tensor not in made:
        made[tensor] = Tensor(f"{tensor.name}_float", np.dtype(np.float32), tensor.shape)
        found.append(Operator("DEQUANTIZE", [tensor], [made[tensor]]))
    return made[tensor]
