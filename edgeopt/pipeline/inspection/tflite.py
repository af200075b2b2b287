"""What is inside a ``.tflite``, ours or somebody else's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from edgeopt.benchmarks.messages import ProbeAnswer, Request, Subject
from edgeopt.benchmarks.process import ask
from edgeopt.core.errors import UnsupportedError
from edgeopt.core.manifest import Delegation, Encoding
from edgeopt.core.tflite_graph import StoredOperator, StoredTensor, TfliteFile, numpy_type
from edgeopt.core.tflite_tables import look_ups
from edgeopt.pipeline.inspection.records import Layer, StoredEncoding

PATIENCE = 120.0
"""Seconds in which LiteRT must have loaded a file."""

_WEIGHTS = 1
_LAYERS = frozenset(
    {"CONV_2D", "DEPTHWISE_CONV_2D", "TRANSPOSE_CONV", "CONV_3D", "FULLY_CONNECTED",
     "BATCH_MATMUL", "UNIDIRECTIONAL_SEQUENCE_LSTM", "UNIDIRECTIONAL_SEQUENCE_RNN"}
)  # fmt: skip


def probed(path: Path) -> tuple[Delegation | None, tuple[str, ...]]:
    """What XNNPACK takes of a file; None and a warning if LiteRT lacks one of its operators.

    LiteRT ends the process on some files, so it is asked in one of its own.

    Raises:
        ModelError: If LiteRT can't load it, or dies of it.
    """
    subject = Subject(str(path.absolute()), "", (), "litert")
    request = Request("probe", 1, "", 0.0, 0.0, (subject,))
    try:
        answer = ask(request, ProbeAnswer, names=[str(path)], timeout=PATIENCE)
    except UnsupportedError as error:
        return None, (error.message,)
    return answer.delegation, ()


def operators(file: TfliteFile) -> dict[str, int]:
    """How many of each operator, the most frequent first."""
    count = Counter(op.code for op in file.operators)
    return dict(sorted(count.items(), key=lambda item: (-item[1], item[0])))


def parameters(file: TfliteFile) -> int:
    """How many numbers the weights are; shapes, axes and indices left out."""
    found = 0
    for tensor in file.tensors:
        kind = numpy_type(tensor.spec.dtype)
        weights = tensor.quantized is not None or (kind is not None and kind.kind == "f")
        if tensor.constant and weights:
            found += int(np.prod(tensor.spec.concrete(), dtype=np.int64))
    return found


def stored_encodings(file: TfliteFile) -> tuple[StoredEncoding, ...]:
    """Every scale in the file, in its order of tensors."""
    tables = {table for table, _ in look_ups(file.operators)}
    return tuple(
        StoredEncoding(
            tensor=_name(tensor, index in tables),
            dtype=tensor.spec.dtype,
            scale=tensor.quantized.scale,
            zero_point=tensor.quantized.zero_point,
            axis=tensor.quantized.axis,
            constant=tensor.constant,
        )
        for index, tensor in enumerate(file.tensors)
        if tensor.quantized is not None
    )


def _name(tensor: StoredTensor, table: bool) -> str:
    """What the manifest calls a tensor; our rows of a look-up are called after their table."""
    return tensor.spec.name.removesuffix("_quantized") if table else tensor.spec.name


def differences(stored: Iterable[StoredEncoding], expected: Iterable[Encoding]) -> tuple[str, ...]:
    """The tensors whose encoding in the file isn't the manifest's, bit for bit.

    The manifest's axes are the float graph's; a file's order of axes is its own.
    """
    found = {e.tensor: (e.dtype, e.scale, e.zero_point, e.axis is None) for e in stored}
    wanted = {e.tensor: (e.dtype, e.scale, e.zero_point, e.axis is None) for e in expected}
    return tuple(name for name, encoding in wanted.items() if found.get(name) != encoding)


def layers(file: TfliteFile) -> tuple[Layer, ...]:
    """Its convolutions, matrix products and recurrences."""
    writers = {tensor: op for op in file.operators for tensor in op.outputs}
    return tuple(_layer(op, file, writers) for op in _with_weights(file))


def _with_weights(file: TfliteFile) -> Iterator[StoredOperator]:
    for op in file.operators:
        if op.code in _LAYERS and len(op.inputs) > _WEIGHTS and op.outputs:
            yield op


def _layer(op: StoredOperator, file: TfliteFile, writers: dict[int, StoredOperator]) -> Layer:
    # A TRANSPOSE_CONV's first input is the shape of its output.
    place = 2 if op.code == "TRANSPOSE_CONV" and len(op.inputs) > 2 else 0
    source, result = file.tensors[op.inputs[place]], file.tensors[op.outputs[0]]
    index = op.inputs[_WEIGHTS]
    weight: StoredTensor | None = file.tensors[index] if index >= 0 else None
    writer = writers.get(index)
    if writer is not None and writer.code == "DEQUANTIZE":
        weight = file.tensors[writer.inputs[0]]
    constant = weight is not None and weight.constant
    dense = writer is None
    return Layer(
        name=result.spec.name,
        op=op.code,
        weight_shape=weight.spec.concrete() if weight is not None and constant else None,
        weight_dtype=weight.spec.dtype if weight is not None and constant else None,
        arithmetic=_arithmetic(source, weight if dense else None),
        input=source.spec.name if source.quantized else None,
        weight=weight.spec.name if weight is not None and weight.quantized else None,
        output=result.spec.name if result.quantized else None,
    )


def _arithmetic(source: StoredTensor, weight: StoredTensor | None) -> str:
    if source.quantized is not None:
        return "integer"
    if weight is not None and weight.quantized is not None:
        return "hybrid"
    return source.spec.dtype
