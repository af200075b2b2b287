"""Taking off a layer's bias what rounding its weights adds to its mean output."""

from __future__ import annotations

import numpy as np

from edgeopt.calibration.bias import convolution_shift, product_shift, tap_shares
from edgeopt.calibration.points import range_source
from edgeopt.converters.editing import add_constant, free_name
from edgeopt.converters.onnx.known import Known
from edgeopt.converters.onnx.weights import channel_axis, constant
from edgeopt.core.ir import ir


def correct_bias(graph: ir.Graph, node: ir.Node, error: np.ndarray, known: Known | None) -> None:
    """Correct the bias of a Conv, Gemm or MatMul, where the means of its input are known.

    Args:
        graph: Edited.
        node: The layer; a matrix product's bias is the constant added to it next, if one is.
        error: What rounding added to its weights, of their shape.
        known: Of the activations; None where the model wasn't calibrated.
    """
    shift = None if known is None else mean_shift(node, error, known)
    if shift is None:
        return
    if node.op_type == "MatMul":
        _correct_addition(graph, node, shift)
        return
    before = layer_bias(node, len(shift))
    old = node.inputs[2] if before is not None else None
    name = f"{old.name}_corrected" if old is not None else f"{node.inputs[1].name}_bias"  # type: ignore[union-attr]
    corrected = ((0 if before is None else before) - shift).astype(np.float32)
    node.resize_inputs(3)
    name = free_name(graph.initializers, name)
    node.replace_input_with(2, add_constant(graph, name, corrected))


def mean_shift(node: ir.Node, error: np.ndarray, known: Known) -> np.ndarray | None:
    """How far rounding the weights moves each output on average, ``(C,)``; None if not known."""
    data = node.inputs[0]
    assert data is not None
    means = known.means(range_source(data).name or "")
    if means is None:
        return _shift_of_inputs(node, error, known)
    if node.op_type == "Conv":
        # What reshapes a tensor before a convolution may have made other channels of it.
        channels = error.shape[1] * node.attributes.get_int("group", 1)
        sizes = [d for d in data.shape[2:] if isinstance(d, int)] if data.shape else []
        if len(means) != channels or len(sizes) != error.ndim - 2:
            return None
        return convolution_shift(error, means, tap_shares(sizes, node, error.shape[2:]))
    axis = channel_axis(node, error.ndim)
    if node.op_type not in ("Gemm", "MatMul") or error.ndim != 2:
        return None
    return product_shift(error, means, axis) if error.shape[1 - axis] == len(means) else None


def _shift_of_inputs(node: ir.Node, error: np.ndarray, known: Known) -> np.ndarray | None:
    """The same from what rounding looks at.

    That also knows inputs put together by moving values, as the heads of an attention are.
    """
    hessian = known.hessian(node)
    if hessian is None or error.ndim != 2 or len(hessian.means) != 1:
        return None
    return product_shift(error, hessian.means[0], channel_axis(node, 2))


def curvature(node: ir.Node, known: Known | None) -> np.ndarray | None:
    """What an error of a layer's weights costs at its outputs; None if it isn't known.

    A bias absorbs the mean of the error where that is known, so that only what varies costs
    anything.

    Args:
        node: A Conv, Gemm or MatMul.
        known: Of the activations; None where the model wasn't calibrated.

    Returns:
        ``(G, K, K)`` float64: see :class:`~edgeopt.calibration.hessians.Hessian`.
    """
    hessian = None if known is None else known.hessian(node)
    if hessian is None:
        return None
    full = hessian.centred if _absorbs(node, known) else hessian.raw
    return hessian.shrunk(full)


def _absorbs(node: ir.Node, known: Known | None) -> bool:
    """Whether :func:`correct_bias` will take the mean of a weight error off."""
    weight = node.inputs[1]
    if known is None or weight is None or weight.const_value is None:
        return False
    if node.op_type == "MatMul" and _addition(node) is None:
        return False
    return mean_shift(node, np.zeros(weight.const_value.shape.numpy()), known) is not None


def layer_bias(node: ir.Node, channels: int) -> np.ndarray | None:
    """The constant bias of a Conv or Gemm as ``(channels,)``, or None if there is none."""
    value = node.inputs[2] if len(node.inputs) > 2 else None
    if value is None or value.const_value is None:
        return None
    return np.broadcast_to(value.const_value.numpy().reshape(-1), (channels,))


def _correct_addition(graph: ir.Graph, node: ir.Node, shift: np.ndarray) -> None:
    found = _addition(node)
    added = None if found is None else constant(found[0].inputs[found[1]])
    if found is None or added is None or added.shape != shift.shape:
        return
    following, index = found
    name = free_name(graph.initializers, f"{following.inputs[index].name}_corrected")  # type: ignore[union-attr]
    corrected = (added - shift).astype(np.float32)
    following.replace_input_with(index, add_constant(graph, name, corrected))


def _addition(node: ir.Node) -> tuple[ir.Node, int] | None:
    """The Add that alone reads a matrix product, and which of its inputs is a constant vector."""
    uses = node.outputs[0].uses()
    following = next(iter(uses))[0] if len(uses) == 1 else None
    if following is None or following.op_type != "Add" or following.domain:
        return None
    for index, value in enumerate(following.inputs):
        added = constant(value)
        if added is not None and added.ndim == 1:
            return following, index
    return None
