"""Giving matrix products and convolutions the constants that are added to them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edgeopt.converters.tflite.model import Model, Operator, Options, Tensor

if TYPE_CHECKING:
    from edgeopt.converters.tflite.model import Array

_WITH_BIAS = frozenset({"FULLY_CONNECTED", "CONV_2D", "DEPTHWISE_CONV_2D"})


def fuse_biases(model: Model) -> None:
    """Make constants that are added to a product part of its bias: one number, or one a channel.

    Ensures that no ADD of such a constant alone reads a float product without an activation. So a
    hard sigmoid behind a convolution costs no ADD, as in TensorFlow's files.
    """
    writers, readers = model.writers(), model.readers()
    gone: set[int] = set()
    for op in model.operators:
        found = _addition(op, writers) if op.code == "ADD" else None
        if found is None:
            continue
        product, bias = found
        if product.output in model.outputs or len(readers[product.output]) > 1:
            continue
        product.inputs = [product.inputs[0], product.inputs[1], bias]
        assert product.options is not None
        assert op.options is not None
        fused = op.options.fields.get("fusedActivationFunction")
        fields = dict(product.options.fields)
        if fused:
            fields["fusedActivationFunction"] = fused
        product.options = Options(product.options.table, fields)
        product.outputs = op.outputs
        writers[op.output] = product
        gone.add(id(op))
    model.operators = [op for op in model.operators if id(op) not in gone]


def _addition(op: Operator, writers: dict[Tensor, Operator]) -> tuple[Operator, Tensor] | None:
    """The product that a constant is added to, and its bias with that."""
    for data, other in (op.inputs, op.inputs[::-1]):
        product = None if data is None else writers.get(data)
        if product is None or product.code not in _WITH_BIAS or other is None or data is None:
            continue
        fused = product.options is not None and product.options.fields.get(
            "fusedActivationFunction"
        )
        if fused or data.shape != op.output.shape:
            continue
        bias = _sum(product, other)
        if bias is not None:
            return product, bias
    return None


def _sum(product: Operator, constant: Tensor) -> Tensor | None:
    """A product's bias and a constant; None where they aren't floats along the last axis."""
    channels = product.output.shape[-1]
    added = _reals(constant, channels)
    bias = product.inputs[2] if len(product.inputs) > 2 else None
    present = np.zeros(channels, np.float32) if bias is None else _reals(bias, channels)
    if added is None or present is None:
        return None
    if bias is None and constant.shape == (channels,):
        return constant
    total = (present + added).astype(np.float32)
    return Tensor(
        bias.name if bias is not None else constant.name, total.dtype, total.shape, data=total
    )


def _reals(tensor: Tensor, channels: int) -> Array | None:
    data = tensor.data
    if data is None or tensor.dtype != np.float32 or data.size not in (1, channels):
        return None
    along_last = not data.ndim or data.shape[-1] == data.size
    return np.broadcast_to(data.reshape(-1), (channels,)) if along_last else None
