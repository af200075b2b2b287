"""Integer inputs and outputs, for programs that have no floats to give."""

from __future__ import annotations

from edgeopt.converters.tflite.model import Model


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
