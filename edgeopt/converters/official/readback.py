"""What an official converter wrote, read back for the manifest."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from edgeopt.core.manifest import Encoding, FloatLayer
from edgeopt.core.tflite_file import read_tflite
from edgeopt.core.tflite_graph import StoredOperator, TfliteFile

_BITS = {"int2": 2, "int4": 4, "int8": 8, "uint8": 8, "int16": 16, "int32": 32, "int64": 64}
_LAYERS = {"CONV_2D": 1, "DEPTHWISE_CONV_2D": 1, "TRANSPOSE_CONV": 1, "FULLY_CONNECTED": 1}
"""Operators with weights, and which of their inputs those are."""


def encodings(path: Path) -> tuple[Encoding, ...]:
    """Every scale in a file, in its order of tensors; the ranges are what the scales span."""
    return tuple(_encodings(read_tflite(path)))


def _encodings(file: TfliteFile) -> Iterator[Encoding]:
    for tensor in file.tensors:
        found, bits = tensor.quantized, _BITS.get(tensor.spec.dtype)
        if found is None or bits is None:
            continue
        least = 0 if tensor.spec.dtype.startswith("u") else -(2 ** (bits - 1))
        ends = [
            ((least - zero) * scale, (least + 2**bits - 1 - zero) * scale)
            for scale, zero in zip(found.scale, found.zero_point, strict=True)
        ]
        yield Encoding(
            tensor=tensor.spec.name,
            dtype=tensor.spec.dtype,
            scale=found.scale,
            zero_point=found.zero_point,
            axis=found.axis,
            low=min(low for low, _ in ends),
            high=max(high for _, high in ends),
        )


def layers(path: Path) -> tuple[int, tuple[FloatLayer, ...]]:
    """How many convolutions and matrix products take integers, and those that don't."""
    file = read_tflite(path)
    integer, floating = 0, []
    for op in file.operators:
        if op.code not in _LAYERS:
            continue
        if _takes_integers(op, file):
            integer += 1
        else:
            name = file.tensors[op.outputs[0]].spec.name
            reason = "the official converter left it float"
            floating.append(FloatLayer(node=name, op=op.code, reason=reason))
    return integer, tuple(floating)


def _takes_integers(op: StoredOperator, file: TfliteFile) -> bool:
    data = op.inputs[2] if op.code == "TRANSPOSE_CONV" else op.inputs[0]
    return file.tensors[data].quantized is not None
