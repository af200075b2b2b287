"""Giving FULLY_CONNECTED the constant vector that is added to it."""

from __future__ import annotations

import numpy as np

from edgeopt.converters.tflite.model import Model, Operator, Options, Tensor


def fuse_biases(model: Model) -> None:
    """Make biases of constants that are added to matrix products without one.

    Ensures that no ADD of a constant vector alone reads a FULLY_CONNECTED without a bias.
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
    for data, other in (op.inputs, op.inputs[::-1]):
        product = None if data is None else writers.get(data)
        if product is None or product.code != "FULLY_CONNECTED" or other is None:
            continue
        bare = len(product.inputs) < 3 or product.inputs[2] is None
        fused = product.options is not None and product.options.fields.get(
            "fusedActivationFunction"
        )
        vector = other.data is not None and other.dtype == np.float32 and len(other.shape) == 1
        if bare and not fused and vector and other.shape[0] == product.output.shape[-1]:
            return product, other
    return None
