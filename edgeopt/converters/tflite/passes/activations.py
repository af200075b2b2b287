"""Fusing clamps into the operators before them: one kernel does both."""

from __future__ import annotations

from edgeopt.converters.tflite.model import Model, Operator, Options

_CODES = {"RELU": 1, "RELU_N1_TO_1": 2, "RELU6": 3}
"""The schema's ActivationFunctionType; XNNPACK takes no other."""

_HOLDERS = frozenset(
    {"CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "ADD", "SUB", "MUL", "DIV",
     "MAX_POOL_2D", "AVERAGE_POOL_2D", "TRANSPOSE_CONV"}
)  # fmt: skip


def fuse_activations(model: Model) -> None:
    """Give clamps to the operators before them, where nothing else reads what they clamp.

    Ensures that no RELU, RELU6 or RELU_N1_TO_1 alone reads an operator that can hold it.
    """
    writers, readers = model.writers(), model.readers()
    gone: set[int] = set()
    for op in model.operators:
        before = _holder(op, writers) if op.code in _CODES else None
        if before is None or before.output in model.outputs:
            continue
        if len(readers[before.output]) > 1:
            continue
        assert before.options is not None
        fields = {**before.options.fields, "fusedActivationFunction": _CODES[op.code]}
        before.options = Options(before.options.table, fields)
        before.outputs = op.outputs
        writers[op.output] = before
        gone.add(id(op))
    model.operators = [op for op in model.operators if id(op) not in gone]


def _holder(op: Operator, writers: dict) -> Operator | None:  # type: ignore[type-arg]
    before = writers.get(op.inputs[0])
    if before is None or before.code not in _HOLDERS or before.options is None:
        return None
    return None if before.options.fields.get("fusedActivationFunction") else before
