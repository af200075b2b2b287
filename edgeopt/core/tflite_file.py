"""Reading a ``.tflite`` without a runtime: what it says of itself, whoever wrote it.

Nothing in the file is believed: every index is checked, and what can't be read is one error.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from edgeopt.core.errors import MissingExtraError, ModelError
from edgeopt.core.tensors import TensorSpec
from edgeopt.core.tflite_graph import Quantized, StoredOperator, StoredTensor, TfliteFile
from edgeopt.core.tflite_metadata import (
    NAME,
    OLDEST_RUNTIME,
    StoredNormalization,
    read_normalization,
)
from edgeopt.core.tflite_tables import look_ups

IDENTIFIER = b"TFL3"
_VERSION = re.compile(r"\d+(\.\d+)*")
_HINT = "it may be incomplete: fetch or convert it again"
_MOST = 1_000_000
"""Entries of a vector above which a file is taken for damaged."""

_DAMAGE = (
    struct.error,
    AttributeError,
    LookupError,
    OverflowError,
    TypeError,
    UnicodeDecodeError,
    ValueError,
)
"""What flatbuffers' accessors raise where an offset leads nowhere."""


def read_tflite(path: Path) -> TfliteFile:
    """Read a file.

    Raises:
        ModelError: If it can't be read, isn't a TFLite file, or contradicts itself.
        MissingExtraError: If LiteRT's schema isn't installed.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ModelError(
            f"{path}: can't be read: {error.strerror or error}", hint="check the path"
        ) from error
    if content[4:8] != IDENTIFIER:
        raise ModelError(f"{path}: not a TFLite file", hint=_HINT)
    schema = _schema()
    try:
        return _Reading(content, schema).file()
    except _DAMAGE as error:
        raise ModelError(f"{path}: not a valid TFLite file", hint=_HINT) from error


class _Reading:
    """One reading: the accessors' errors are the caller's to turn into ours."""

    def __init__(self, content: bytes, schema: Any) -> None:
        self.schema = schema
        self.model = schema.Model.GetRootAs(content, 0)
        self.graph = self.model.Subgraphs(0)
        self.types = _names(schema.TensorType)
        self.builtins = _names(schema.BuiltinOperator)

    def file(self) -> TfliteFile:
        model, graph = self.model, self.graph
        tensors = tuple(map(self._tensor, _all(graph.Tensors, graph.TensorsLength)))
        codes = list(map(self._code, _all(model.OperatorCodes, model.OperatorCodesLength)))
        count = len(tensors)
        inputs, outputs = (
            _indices(self._ints(graph, name), count, least=0) for name in ("Inputs", "Outputs")
        )
        operators = tuple(
            self._operator(op, codes, count) for op in _all(graph.Operators, graph.OperatorsLength)
        )
        tensors = self._with_tables(tensors, operators)
        signatures = _all(model.SignatureDefs, model.SignatureDefsLength)
        return TfliteFile(
            description=_text(model.Description()),
            tensors=tensors,
            operators=operators,
            inputs=inputs,
            outputs=outputs,
            names=self._ends(signatures, tensors, inputs, outputs),
            signatures=tuple(_text(s.SignatureKey()) for s in signatures),
            subgraphs=model.SubgraphsLength(),
            metadata=tuple(_text(m.Name()) for m in _all(model.Metadata, model.MetadataLength)),
            normalization=self._normalization(),
            oldest_runtime=self._oldest_runtime(),
        )

    def _normalization(self) -> tuple[StoredNormalization, ...]:
        """What the metadata says; nothing if it is damaged, as no runtime needs it."""
        try:
            content = self._said(NAME)
            return () if content is None else read_normalization(content)
        except _DAMAGE:
            return ()

    def _oldest_runtime(self) -> str:
        try:
            content = self._said(OLDEST_RUNTIME) or b""
        except _DAMAGE:
            return ""
        told = content.rstrip(b"\0").decode("ascii", "replace")
        return told if _VERSION.fullmatch(told) else ""

    def _said(self, name: str) -> bytes | None:
        for said in _all(self.model.Metadata, self.model.MetadataLength):
            if _text(said.Name()) == name:
                content: bytes = self.model.Buffers(said.Buffer()).DataAsNumpy().tobytes()
                return content
        return None

    def _tensor(self, tensor: Any) -> StoredTensor:
        name = _text(tensor.Name())
        shape = self._ints(tensor, "Shape")
        signature = self._ints(tensor, "ShapeSignature")
        open_ = signature if len(signature) == len(shape) else shape
        buffer = self.model.Buffers(tensor.Buffer()) if self.model.BuffersLength() else None
        stored = buffer is not None and (buffer.DataLength() > 0 or buffer.Size() > 0)
        dims = tuple(
            _dim(name, axis, size, said)
            for axis, (size, said) in enumerate(zip(shape, open_, strict=True))
        )
        spec = TensorSpec(name=name, dtype=self.types[tensor.Type()].lower(), shape=dims)
        return StoredTensor(spec, stored, self._quantized(tensor.Quantization(), len(shape)))

    def _quantized(self, parameters: Any, rank: int) -> Quantized | None:
        if parameters is None or not parameters.ScaleLength():
            return None
        scale = tuple(float(s) for s in parameters.ScaleAsNumpy())
        given = parameters.ZeroPointLength()
        zeros = tuple(int(z) for z in parameters.ZeroPointAsNumpy()) if given else (0,)
        if len(zeros) == 1:
            zeros = zeros * len(scale)
        axis = parameters.QuantizedDimension() if len(scale) > 1 else None
        if len(zeros) != len(scale) or (axis is not None and not 0 <= axis < rank):
            raise ValueError("scales that don't fit their tensor")
        return Quantized(scale, zeros, axis)

    def _with_tables(
        self, tensors: tuple[StoredTensor, ...], operators: Sequence[StoredOperator]
    ) -> tuple[StoredTensor, ...]:
        found = list(tensors)
        for table, steps in look_ups(operators):
            one, scales = found[table], self._floats(steps, tensors[steps])
            rows = one.spec.shape[:1]
            if one.constant and one.spec.dtype == "int8" and rows == (len(scales),):
                found[table] = replace(one, quantized=Quantized(scales, (0,) * len(scales), 0))
        return tuple(found)

    def _floats(self, index: int, tensor: StoredTensor) -> tuple[float, ...]:
        """A constant's numbers; none of one that is no float32, or lies behind the flatbuffer."""
        content = self.model.Buffers(self.graph.Tensors(index).Buffer())
        if tensor.spec.dtype != "float32" or not content.DataLength():
            return ()
        return tuple(np.frombuffer(content.DataAsNumpy().tobytes(), np.float32).tolist())

    def _code(self, code: Any) -> tuple[str, bool]:
        number = max(code.BuiltinCode(), code.DeprecatedBuiltinCode())
        name = self.builtins.get(number, f"operator {number}")
        custom = name == "CUSTOM"
        return (_text(code.CustomCode()) if custom else name), custom

    def _operator(self, op: Any, codes: list[tuple[str, bool]], count: int) -> StoredOperator:
        name, custom = codes[op.OpcodeIndex()]
        inputs = _indices(self._ints(op, "Inputs"), count, least=-1)
        outputs = _indices(self._ints(op, "Outputs"), count, least=0)
        return StoredOperator(name, inputs, outputs, custom)

    def _ends(
        self,
        signatures: list[Any],
        tensors: tuple[StoredTensor, ...],
        inputs: tuple[int, ...],
        outputs: tuple[int, ...],
    ) -> tuple[tuple[str, ...], tuple[str, ...]]:
        said: tuple[dict[int, str], dict[int, str]] = ({}, {})
        if len(signatures) == 1:
            (one,) = signatures
            for names, maps in zip(
                said,
                (_all(one.Inputs, one.InputsLength), _all(one.Outputs, one.OutputsLength)),
                strict=True,
            ):
                names.update((m.TensorIndex(), _text(m.Name())) for m in maps)
        return (
            tuple(said[0].get(i, tensors[i].spec.name) for i in inputs),
            tuple(said[1].get(i, tensors[i].spec.name) for i in outputs),
        )

    def _ints(self, table: Any, field: str) -> tuple[int, ...]:
        length = getattr(table, f"{field}Length")()
        if not length:
            return ()
        return tuple(int(i) for i in getattr(table, f"{field}AsNumpy")())


def _all(item: Callable[[int], Any], length: Callable[[], int]) -> list[Any]:
    count = length()
    if count > _MOST:
        raise ValueError("more entries than a model has")
    return [item(index) for index in range(count)]


def _indices(found: tuple[int, ...], count: int, *, least: int) -> tuple[int, ...]:
    if not all(least <= index < count for index in found):
        raise ValueError("a tensor that isn't there")
    return found


def _dim(name: str, axis: int, size: int, said: int) -> int | str:
    if size < 0:
        raise ValueError("a negative size")
    if said >= 0:
        return size
    return "batch" if axis == 0 else f"{name}_{axis}"


def _text(raw: bytes | None) -> str:
    return "" if raw is None else raw.decode("utf-8", "replace")


def _names(enumeration: Any) -> dict[int, str]:
    return {v: k for k, v in vars(enumeration).items() if isinstance(v, int)}


@cache
def _schema() -> Any:
    try:
        return import_module("ai_edge_litert.schema_py_generated")
    except ImportError as error:
        missing = (error.name or "").partition(".")[0]
        if missing not in ("ai_edge_litert", "flatbuffers"):
            raise
        raise MissingExtraError("reading TFLite", missing, "tflite") from error
