"""Fusing clamps into the operators before them: one kernel does both."""

from __future__ import annotations

from edgeopt.converters.tflite.model import Model, Operator, Options, Tensor

_CODES = {"RELU": 1, "RELU_N1_TO_1": 2, "RELU6": 3}
"""The schema's ActivationFunctionType; XNNPACK takes no other."""

_HOLDERS = frozenset(
    {"CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "ADD", "SUB", "MUL", "DIV",
     "MAX_POOL_2D", "AVERAGE_POOL_2D", "TRANSPOSE_CONV"}
)  # fmt: skip


_SPREADING = frozenset({"DEPTH_TO_SPACE", "SLICE"})
"""What a transposed convolution puts behind its convolution: it moves values, clamped or not."""


def fuse_activations(model: Model) -> None:
    """Give clamps to the operators before them, where nothing else reads what they clamp.

    Ensures that no RELU, RELU6 or RELU_N1_TO_1 alone reads an operator that can hold it.
    """
    writers, readers = model.writers(), model.readers()
    gone: set[int] = set()
    for op in model.operators:
        if op.code not in _CODES:
            continue
        last = writers.get(_only(op.inputs[0]))
        before = last
        while before is not None and before.code in _SPREADING and _alone(before, readers, model):
            before = writers.get(_only(before.inputs[0]))
        if last is None or not _holds(before) or not _alone(before, readers, model):
            continue
        assert before is not None
        assert before.options is not None
        fields = {**before.options.fields, "fusedActivationFunction": _CODES[op.code]}
        before.options = Options(before.options.table, fields)
        last.outputs = op.outputs
        writers[op.output] = last
        gone.add(id(op))
    model.operators = [op for op in model.operators if id(op) not in gone]


def _only(tensor: Tensor | None) -> Tensor:
    assert tensor is not None
    return tensor


def _alone(op: Operator | None, readers: dict[Tensor, list[Operator]], model: Model) -> bool:
    """Whether one operator reads what an operator gives, and nothing else does."""
    return op is not None and len(readers[op.output]) == 1 and op.output not in model.outputs


def _holds(op: Operator | None) -> bool:
    if op is None or op.code not in _HOLDERS or op.options is None:
        return False
    return not op.options.fields.get("fusedActivationFunction")
