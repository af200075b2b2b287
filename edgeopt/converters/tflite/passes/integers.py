"""Making integer operators of what stands between DEQUANTIZE and QUANTIZE."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from edgeopt.calibration.encodings import encode_range
from edgeopt.calibration.ranges import Range
from edgeopt.converters.tflite.model import Model, Operator, Options, Quantization, Tensor
from edgeopt.targets import TensorRule

WEIGHTED = {"CONV_2D": 2, "DEPTHWISE_CONV_2D": 2, "FULLY_CONNECTED": 2, "TRANSPOSE_CONV": 3}
"""Operators with weights (input 1), and which input is the bias."""

MOVING = frozenset(
    {"RESHAPE", "TRANSPOSE", "SLICE", "STRIDED_SLICE", "PAD", "PADV2", "MAX_POOL_2D",
     "SPACE_TO_DEPTH", "DEPTH_TO_SPACE", "GATHER", "MIRROR_PAD"}
)  # fmt: skip
"""Operators that give some of the very numbers they take: scales stay."""

_SPREADING = frozenset({"DEPTH_TO_SPACE", "SLICE"})
"""What a transposed convolution puts between its convolution and the QUANTIZE."""

EQUAL = frozenset({"CONCATENATION", "RESIZE_BILINEAR", "AVERAGE_POOL_2D"})
"""Operators whose kernels assume one scale for all they take and give."""

FIXED = {
    ("SOFTMAX", "int8"): Quantization((1 / 256,), (-128,)),
    ("LOGISTIC", "int8"): Quantization((1 / 256,), (-128,)),
    ("TANH", "int8"): Quantization((1 / 128,), (0,)),
    ("LOG_SOFTMAX", "int8"): Quantization((1 / 16,), (127,)),
    ("LOGISTIC", "int16"): Quantization((2.0**-15,), (0,)),
    ("TANH", "int16"): Quantization((2.0**-15,), (0,)),
}
"""What LiteRT's integer kernels of these give, whatever the file says."""

LEAST_SHARE, MOST_SHARE = 2.0**-10, 2.0**8
"""Of a sum's scale that its parts' may be; else XNNPACK leaves the ADD or SUB."""

COMPUTING = frozenset({"ADD", "SUB", "MUL", "MEAN", "LOGISTIC", "TANH", "LEAKY_RELU", *EQUAL})
"""Operators with integer kernels in XNNPACK, beside those with weights and those that move."""


def make_integer(model: Model) -> None:
    """Replace float operators between conversions by integer ones.

    Ensures that no operator with an integer kernel reads only DEQUANTIZEs and is read only by one
    QUANTIZE; scales are those that the graph held.
    """
    _Conversion(model).run()


class _Conversion:
    def __init__(self, model: Model) -> None:
        self.model = model
        self.readers = model.readers()
        self.integer: dict[Tensor, Tensor] = {}
        """What a DEQUANTIZE's output was made of, by that output."""
        self.renamed: dict[Tensor, Tensor] = {}
        """QUANTIZE's outputs that an integer operator now gives, or that were there before."""
        self.kept: list[Operator] = []

    def run(self) -> None:
        for op in self.model.operators:
            op.inputs = [None if t is None else self.renamed.get(t, t) for t in op.inputs]
            self._convert(op)
        self.model.operators = self.kept
        self.model.outputs = [self.renamed.get(t, t) for t in self.model.outputs]

    def _convert(self, op: Operator) -> None:
        first = op.inputs[0] if op.inputs else None
        if op.code == "DEQUANTIZE" and first is not None and first.quantization is not None:
            self.integer[op.output] = first
            self.kept.append(op)
        elif op.code == "QUANTIZE" and first in self.integer:
            self._requantize(op, self.integer[first])
        elif op.code in MOVING and first in self.integer:
            self._move(op, self.integer[first])
        elif (target := self._target(op)) is not None and self._fits(op, target):
            self._compute(op, target)
        elif op.code == "CONCATENATION" and self._alike(op):
            self._join(op)
        else:
            self.kept.append(op)

    def _requantize(self, op: Operator, source: Tensor) -> None:
        """QUANTIZE of a DEQUANTIZE: nothing, or integers to integers."""
        if source.quantization == op.output.quantization and source.dtype == op.output.dtype:
            self.renamed[op.output] = source
            return
        op.inputs = [source]
        self.kept.append(op)

    def _move(self, op: Operator, source: Tensor) -> None:
        """Move integers instead of floats, and make floats of them after."""
        self._moved(op, [source, *op.inputs[1:]], source)

    def _moved(self, op: Operator, inputs: list[Tensor | None], source: Tensor) -> None:
        floats = op.output
        moved = Tensor(
            floats.name, source.dtype, floats.shape, floats.batched,
            quantization=source.quantization,
        )  # fmt: skip
        assert source.quantization is not None
        mover = Operator(op.code, inputs, [moved], op.options, op.node)
        self.kept.append(_padded_with_integers(mover) if op.code == "PADV2" else mover)
        self.kept.append(Operator("DEQUANTIZE", [moved], [floats], None, op.node))
        self.integer[floats] = moved

    def _alike(self, op: Operator) -> bool:
        """Whether all that is joined is integers of one scale."""
        found = [self.integer.get(t) for t in op.inputs if t is not None]
        return None not in found and len({t.quantization for t in found if t is not None}) == 1

    def _join(self, op: Operator) -> None:
        """Join integers instead of floats: scales stay, as where one tensor is moved."""
        parts = [self.integer[t] for t in op.inputs if t is not None]
        self._moved(op, [*parts], parts[0])

    def _target(self, op: Operator) -> Tensor | None:
        """The integers that all that reads an operator's output makes of it."""
        if len(op.outputs) != 1 or op.output in self.model.outputs:
            return None
        readers = self.readers.get(op.output, [])
        if (
            op.code in (*WEIGHTED, *_SPREADING)
            and len(readers) == 1
            and readers[0].code in _SPREADING
        ):
            spread = self._target(readers[0])
            return None if spread is None else _with_shape_of(op.output, spread)
        if not readers or any(reader.code != "QUANTIZE" for reader in readers):
            return None
        found = {(r.output.quantization, r.output.dtype) for r in readers}
        return readers[0].output if len(found) == 1 else None

    def _fits(self, op: Operator, target: Tensor) -> bool:
        if FIXED.get((op.code, target.dtype.name), target.quantization) != target.quantization:
            return False
        if op.code in ("ADD", "SUB") and not self._comparable(op, target):
            return False
        if op.code in WEIGHTED:
            place = 2 if op.code == "TRANSPOSE_CONV" else 0
            weight = op.inputs[1]
            known = weight is not None and weight.quantization is not None
            return op.inputs[place] in self.integer and known
        if op.code not in COMPUTING:
            return False
        running = [t for t in op.inputs if t is not None and not t.constant]
        return bool(running) and all(t in self.integer for t in running)

    def _comparable(self, op: Operator, target: Tensor) -> bool:
        """Whether what is added is neither next to nothing nor everything beside the sum."""
        taken = [self.integer[t].quantization for t in op.inputs if t in self.integer]
        total = target.quantization
        assert total is not None
        ratios = [q.scale[0] / total.scale[0] for q in taken if q is not None]
        return all(LEAST_SHARE <= ratio < MOST_SHARE for ratio in ratios)

    def _compute(self, op: Operator, target: Tensor) -> None:
        inputs = [None if t is None else self.integer.get(t, t) for t in op.inputs]
        if op.code in WEIGHTED:
            inputs = _with_bias(op.code, inputs)
        else:
            data = next(t for t in inputs if t is not None and t.quantization is not None)
            inputs = [
                _number(t, data) if t is not None and t.dtype == np.float32 else t for t in inputs
            ]
        if op.code in EQUAL:
            inputs = [self._at_scale(t, target) for t in inputs]
        self.kept.append(Operator(op.code, inputs, [target], op.options, op.node))
        self.integer[op.output] = target  # the QUANTIZEs that read it find that out for themselves

    def _at_scale(self, tensor: Tensor | None, target: Tensor) -> Tensor | None:
        if tensor is None or tensor.quantization is None:
            return tensor
        if tensor.quantization == target.quantization:
            return tensor
        moved = Tensor(
            f"{tensor.name}_rescaled", target.dtype, tensor.shape, tensor.batched,
            quantization=target.quantization,
        )  # fmt: skip
        self.kept.append(Operator("QUANTIZE", [tensor], [moved], None, ""))
        return moved


def _with_shape_of(floats: Tensor, target: Tensor) -> Tensor:
    """Integers at the scale of what is made of them by moving them."""
    return Tensor(
        floats.name, target.dtype, floats.shape, floats.batched, quantization=target.quantization
    )


def _padded_with_integers(op: Operator) -> Operator:
    """A PADV2 of integers; a PAD, which delegates take, where it pads with what stands for 0."""
    data, amounts, fill = op.inputs
    assert data is not None
    assert data.quantization is not None
    assert fill is not None
    integers = _as_integers(fill, data)
    assert integers.data is not None
    if int(integers.data) == data.quantization.zero_point[0]:
        return Operator("PAD", [data, amounts], op.outputs, Options("PadOptions"), op.node)
    return Operator("PADV2", [data, amounts, integers], op.outputs, op.options, op.node)


def _with_bias(code: str, inputs: Sequence[Tensor | None]) -> list[Tensor | None]:
    """The inputs of a layer with its bias in integers, at the scale of the sums it is added to."""
    place = WEIGHTED[code]
    data, weight = (inputs[2], inputs[1]) if code == "TRANSPOSE_CONV" else (inputs[0], inputs[1])
    bias = inputs[place] if len(inputs) > place else None
    assert data is not None
    assert weight is not None
    if bias is None:
        return list(inputs)
    found = list(inputs)
    found[place] = integer_bias(bias, data, weight)
    return found


def integer_bias(bias: Tensor, data: Tensor, weight: Tensor) -> Tensor:
    """A layer's bias as integers: ``round(b / (s_data * s_weight))``.

    Args:
        bias: Constant, ``(C,)``: floats, or integers that are at that scale already.
        data: What the layer reads.
        weight: Its weights.
    """
    assert bias.data is not None
    assert data.quantization is not None
    assert weight.quantization is not None
    scales = np.array(weight.quantization.scale, np.float32)
    scales *= np.float32(data.quantization.scale[0])
    kind: np.dtype[Any] = np.dtype(np.int64 if data.dtype == np.int16 else np.int32)
    quantization = Quantization(
        tuple(map(float, scales)), (0,) * len(scales), 0 if len(scales) > 1 else None
    )
    integers = bias.data
    if integers.dtype == np.float32:
        limit = 2**31 - 1 if kind == np.int32 else 2**39
        wide = np.rint(integers.astype(np.float64) / scales)
        integers = np.clip(wide, -limit, limit).astype(kind)
    return Tensor(
        bias.name, kind, bias.shape, data=integers.astype(kind), quantization=quantization
    )


def _as_integers(fill: Tensor, like: Tensor) -> Tensor:
    """A number as integers at another tensor's scale, as near as they reach."""
    assert fill.data is not None
    assert like.quantization is not None
    ends = np.iinfo(like.dtype)
    steps = np.rint(fill.data.astype(np.float64) / like.quantization.scale[0])
    integers = np.clip(steps + like.quantization.zero_point[0], ends.min, ends.max)
    return Tensor(
        fill.name, like.dtype, fill.shape, data=integers.astype(like.dtype),
        quantization=like.quantization,
    )  # fmt: skip


def _number(constant: Tensor, data: Tensor) -> Tensor:
    """A float constant as integers of its own range."""
    assert constant.data is not None
    low, high = min(0.0, float(constant.data.min())), max(0.0, float(constant.data.max()))
    wide = data.dtype == np.int16
    rule = TensorRule(dtype=data.dtype.name, bits=16 if wide else 8, symmetric=wide)  # type: ignore[arg-type]
    encoding = encode_range(constant.name, Range(low=low, high=high), rule)
    quantization = Quantization(encoding.scale, encoding.zero_point)
    like = Tensor("", data.dtype, (), quantization=quantization)
    return _as_integers(constant, like)
