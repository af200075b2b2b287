"""The end of an integer model that gives floats: nothing is rounded there that need not be."""

from __future__ import annotations

from edgeopt.converters.tflite.model import Model, Operator, Tensor

_LAST = frozenset({"MEAN", "LOGISTIC", "TANH", "ADD", "SUB", "MUL", "RESIZE_BILINEAR"})
"""Operators that compute a model's output in floats."""


def spare_heads(model: Model) -> None:
    """Take away the rounding before a hybrid layer, and before an output that no layer makes.

    The hybrid kernel rounds its activations at run time, finer than by a range for all samples:
    rounded twice, the mean over the pixels would be the coarsest tensor of a classifier. Ensures
    that FULLY_CONNECTED layers with integer weights that make an output read the mean itself, and
    that a mean, a sum or the like gives its output in floats.
    """
    writers, readers = model.writers(), model.readers()
    for op in model.operators:
        if _is_head(op, model):
            _spare(op, writers, readers)
    model.outputs = [_spared(output, writers, readers) for output in model.outputs]


def _spared(
    output: Tensor, writers: dict[Tensor, Operator], readers: dict[Tensor, list[Operator]]
) -> Tensor:
    """An output as it was before it was rounded, where what makes it computes in floats."""
    if readers.get(output):
        return output
    last = writers.get(output)
    if last is not None and last.code == "RESHAPE":
        floats = _unrounded(last.inputs[0], writers, readers)
        made = writers.get(floats) if floats is not None else None
        if made is not None and made.code in _LAST:
            last.inputs[0] = floats
        return output
    floats = _unrounded(output, writers, readers)
    made = writers.get(floats) if floats is not None else None
    return floats if floats is not None and made is not None and made.code in _LAST else output


def _is_head(op: Operator, model: Model) -> bool:
    if op.code != "FULLY_CONNECTED" or op.output not in model.outputs:
        return False
    weight = op.inputs[1]
    return weight is not None and weight.quantization is not None


def _spare(
    head: Operator, writers: dict[Tensor, Operator], readers: dict[Tensor, list[Operator]]
) -> None:
    """Let what reads a rounded tensor on the way from the mean read the tensor itself."""
    spared: list[tuple[Operator, Tensor]] = []
    reader = head
    while True:
        floats = _unrounded(reader.inputs[0], writers, readers)
        made = writers.get(floats) if floats is not None else None
        if floats is None or made is None:
            return
        spared.append((reader, floats))
        if made.code == "MEAN" and _from_integers(made, writers):
            break
        if made.code != "RESHAPE":
            return
        reader = made
    for op, tensor in spared:
        op.inputs[0] = tensor


def _from_integers(op: Operator, writers: dict[Tensor, Operator]) -> bool:
    before = None if op.inputs[0] is None else writers.get(op.inputs[0])
    return before is not None and before.code == "DEQUANTIZE"


def _unrounded(
    tensor: Tensor | None,
    writers: dict[Tensor, Operator],
    readers: dict[Tensor, list[Operator]],
) -> Tensor | None:
    """What a tensor was before it was rounded, or itself; None if something else reads it."""
    if tensor is None or len(readers.get(tensor, ())) > 1:
        return None
    before = writers.get(tensor)
    if before is None or before.code != "DEQUANTIZE" or before.inputs[0] is None:
        return tensor
    rounding = writers.get(before.inputs[0])
    if rounding is None or rounding.code != "QUANTIZE" or len(readers[before.inputs[0]]) > 1:
        return None
    return _unrounded(rounding.inputs[0], writers, readers)  # moved in between, it has two
