"""Integer inputs and outputs, for programs that have no floats to give."""

from __future__ import annotations

import numpy as np

from edgeopt.converters.tflite.model import Model, Operator, Quantization, Tensor
from edgeopt.converters.tflite.passes.integers import FIXED, MOVING
from edgeopt.core.errors import UnsupportedError


def quantize_bounded_outputs(model: Model) -> None:
    """Put a QUANTIZE behind outputs whose range follows from the operator that makes them.

    Ensures that no output is what a softmax or a sigmoid gives in floats.
    """
    writers = model.writers()
    for place, tensor in enumerate(model.outputs):
        quantization = _bounded(tensor, writers)
        if quantization is not None:
            integers = Tensor(
                tensor.name, np.dtype(np.int8), tensor.shape, tensor.batched,
                quantization=quantization,
            )  # fmt: skip
            model.operators.append(Operator("QUANTIZE", [tensor], [integers], None, tensor.name))
            model.outputs[place] = integers


def _bounded(tensor: Tensor | None, writers: dict[Tensor, Operator]) -> Quantization | None:
    writer = None if tensor is None else writers.get(tensor)
    while writer is not None and writer.code in MOVING:
        source = writer.inputs[0]
        writer = None if source is None else writers.get(source)
    return None if writer is None else FIXED.get((writer.code, "int8"))


def integer_ends(model: Model) -> None:
    """Take integers where an input is quantized first, give them where an output is made of them.

    Ensures that no QUANTIZE alone reads an input, and no DEQUANTIZE alone makes an output.
    """
    readers, writers = model.readers(), model.writers()
    gone: set[int] = set()
    for place, tensor in enumerate(model.inputs):
        reading = readers.get(tensor, [])
        if len(reading) == 1 and reading[0].code == "QUANTIZE":
            reading[0].output.name = tensor.name
            model.inputs[place] = reading[0].output
            gone.add(id(reading[0]))
    for place, tensor in enumerate(model.outputs):
        writer = writers.get(tensor)
        if writer is None or writer.code != "DEQUANTIZE" or readers.get(tensor):
            continue
        integers = writer.inputs[0]
        if integers is not None and not integers.constant and integers not in model.inputs:
            integers.name = tensor.name
            model.outputs[place] = integers
            gone.add(id(writer))
    model.operators = [op for op in model.operators if id(op) not in gone]


def refuse_float_ends(model: Model, name: str) -> None:
    """Refuse a model that takes or gives floats after all.

    Args:
        model: After :func:`integer_ends`.
        name: The model's, for messages.

    Raises:
        UnsupportedError: If one does; names it, and the node that is in the way.
    """
    readers, writers = model.readers(), model.writers()
    for tensor in (*model.inputs, *model.outputs):
        if tensor.dtype != np.float32:
            continue
        writer, reading = writers.get(tensor), readers.get(tensor, [])
        op = writer or next(iter(reading), None)
        verb = "takes input" if writer is None else "makes output"
        node = "nothing" if op is None else f"{op.code} {op.node!r}"
        raise UnsupportedError(
            f"{name}: --io int8: {node} {verb} {tensor.name!r} in float",
            hint="leave --io away, or take this step out of the model",
        )
