"""Integer weights that no DequantizeLinear is about: made float by a Cast and a Mul, or not at all.

Our writers call them ``<tensor>_quantized`` and their scale ``<tensor>_scale``.
"""

from __future__ import annotations

from collections.abc import Iterator

from edgeopt.core.ir import ir

_STORED, _SCALE = "_quantized", "_scale"


def plain_weights(graph: ir.Graph) -> Iterator[tuple[str, ir.TensorProtocol, ir.TensorProtocol]]:
    """The tensor's name, its integers and its scales, of each of them.

    Weights packed into bytes, which a MatMulNBits reads, aren't among them: their scales belong to
    blocks, and ``int8`` they are not.
    """
    for name, value in graph.initializers.items():
        tensor = name.removesuffix(_STORED)
        scale = graph.initializers.get(tensor + _SCALE)
        if tensor == name or scale is None or scale.const_value is None:
            continue
        if value.const_value is not None and value.const_value.dtype == ir.DataType.INT8:
            yield tensor, value.const_value, scale.const_value


def scale_axis(integers: ir.TensorProtocol, scale: ir.TensorProtocol) -> int | None:
    """The axis that scales lie along, as broadcasting has it; None for a single one."""
    shape = [int(d) for d in scale.shape.numpy()]
    rank = len(integers.shape.numpy())
    axes = [rank - len(shape) + i for i, size in enumerate(shape) if size > 1]
    return axes[0] if len(axes) == 1 else None


def behind_cast(value: ir.Value | None) -> ir.TensorProtocol | None:
    """The integers of weights that a Cast and a Mul make float; None for anything else."""
    real = value.producer() if value is not None else None
    if real is None or real.op_type != "Mul" or real.inputs[0] is None:
        return None
    cast = real.inputs[0].producer()
    if cast is None or cast.op_type != "Cast" or cast.inputs[0] is None:
        return None
    return cast.inputs[0].const_value
