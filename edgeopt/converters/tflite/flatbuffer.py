"""Writing a model as a TFLite flatbuffer, by LiteRT's own schema.

Data is aligned to 16 bytes, equal constants are stored once, and a signature has the source's
names. Everything is written in one fixed order: the same model gives the same bytes.

A flatbuffer reaches 2 GB. In a larger model constants stand behind it, and it tells where.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from edgeopt.converters.tflite.model import Model, Operator, Options, Tensor
from edgeopt.converters.tflite.passes.names import name_tensors
from edgeopt.converters.tflite.schema import schema
from edgeopt.converters.tflite.versions import oldest_runtime, operator_version
from edgeopt.core.tflite_metadata import OLDEST_RUNTIME

IDENTIFIER = b"TFL3"
SCHEMA_VERSION = 3
ALIGNMENT = 16
LARGEST = 2**31 - 2**24
"""Bytes of constants that a flatbuffer holds: its offsets are 32 bits and signed."""

SIGNATURE = "serving_default"
_SMALL = 1024
"""Bytes of a constant that stays inside in any case."""


def to_flatbuffer(model: Model, *, largest: int = LARGEST) -> bytes:
    """The file's bytes.

    Args:
        model: The model.
        largest: Bytes of constants above which they stand behind the flatbuffer.
    """
    return b"".join(_parts(model, largest))


def write_flatbuffer(model: Model, path: Path, *, largest: int = LARGEST) -> None:
    """The same into a file, without a copy of the whole."""
    with path.open("wb") as file:
        file.writelines(_parts(model, largest))


def _parts(model: Model, largest: int) -> Iterable[memoryview]:
    packing = _Packing(model)
    packed = packing.pack()
    if sum(content.size for content in packing.contents) > largest:
        return _apart(packed)
    return [_built(packed)]


def _built(packed: Any) -> memoryview:
    import flatbuffers

    data = sum(b.data.size + 2 * ALIGNMENT for b in packed.buffers if b.data is not None)
    # Of the size that it will have: a builder that is too small doubles, and copies itself.
    builder = flatbuffers.Builder(data + (1 << 20))
    offset = packed.Pack(_AlignedBuilder(builder))
    builder.Finish(offset, IDENTIFIER)
    return memoryview(builder.Bytes)[builder.Head() :]


def _apart(packed: Any) -> Iterable[memoryview]:
    """A flatbuffer, and constants behind it.

    It is built twice: it tells where the constants are, which its own length decides.
    """
    moved = [b for b in packed.buffers if b.data is not None and b.data.size > _SMALL]
    contents = [buffer.data for buffer in moved]
    for buffer, content in zip(moved, contents, strict=True):
        buffer.data, buffer.offset, buffer.size = None, ALIGNMENT, content.size
    end = len(_built(packed))
    parts = []
    for buffer, content in zip(moved, contents, strict=True):
        gap = -end % ALIGNMENT
        buffer.offset = end + gap
        parts += [memoryview(bytes(gap)), content.data]
        end = buffer.offset + content.size
    return [_built(packed), *parts]


class _AlignedBuilder:
    """A flatbuffer builder whose numpy vectors are aligned to 16 bytes, as kernels want them."""

    def __init__(self, builder: Any) -> None:
        self._builder = builder

    def CreateNumpyVector(self, array: np.ndarray) -> int:  # noqa: N802 - flatbuffers' own name
        """Bytes as an aligned vector, copied at once."""
        flat = np.ascontiguousarray(array).reshape(-1)
        if flat.dtype != np.uint8:
            return int(self._builder.CreateNumpyVector(flat))
        builder = self._builder
        builder.StartVector(1, flat.size, ALIGNMENT)
        head = builder.Head() - flat.size
        builder.head = head
        builder.Bytes[head : head + flat.size] = flat.data
        return int(builder.EndVector())

    def __getattr__(self, name: str) -> Any:
        return getattr(self._builder, name)


class _Packing:
    """Turns one model into the schema's objects."""

    def __init__(self, model: Model) -> None:
        self.model, self.s = model, schema()
        name_tensors(model)
        self.tensors = list(model.tensors())
        self.index = {tensor: i for i, tensor in enumerate(self.tensors)}
        self.contents = [np.zeros(0, np.uint8)]  # the first one is empty by convention
        self.stored: dict[tuple[int, bytes], list[int]] = {}
        self.codes: dict[tuple[str, int], int] = {}

    def pack(self) -> Any:
        """The model."""
        s = self.s
        graph = s.SubGraphT()
        graph.name = "main"
        graph.tensors = self._tensors()
        graph.inputs = self._indices(self.model.inputs)
        graph.outputs = self._indices(self.model.outputs)
        graph.operators = [self._operator(op) for op in self.model.operators]
        packed = s.ModelT()
        packed.version = SCHEMA_VERSION
        packed.description = "edgeopt"
        packed.subgraphs = [graph]
        packed.operatorCodes = [self._code(*key) for key in self.codes]
        packed.signatureDefs = [self._signature()]
        runtime = oldest_runtime(self.codes).encode().ljust(16, b"\0")
        said = {OLDEST_RUNTIME: runtime, **self.model.metadata}
        packed.metadata = [self._metadata(name, content) for name, content in said.items()]
        packed.buffers = [self._buffer(content) for content in self.contents]
        return packed

    def _tensors(self) -> list[Any]:
        return [self._tensor(tensor) for tensor in self.tensors]

    def _tensor(self, tensor: Tensor) -> Any:
        packed = self.s.TensorT()
        packed.name = tensor.name
        packed.shape = np.array(tensor.shape, np.int32)
        if tensor.batched:
            packed.shapeSignature = np.array(tensor.signature, np.int32)
        packed.hasRank = True
        packed.type = self._type(tensor)
        packed.buffer = self._store(tensor)
        if tensor.quantization is not None:
            packed.quantization = self._quantization(tensor)
        return packed

    def _type(self, tensor: Tensor) -> int:
        name = "INT4" if tensor.bits == 4 else tensor.dtype.name.upper()
        return int(getattr(self.s.TensorType, name))

    def _quantization(self, tensor: Tensor) -> Any:
        assert tensor.quantization is not None
        packed = self.s.QuantizationParametersT()
        packed.scale = np.array(tensor.quantization.scale, np.float32)
        packed.zeroPoint = np.array(tensor.quantization.zero_point, np.int64)
        packed.quantizedDimension = tensor.quantization.axis or 0
        return packed

    def _store(self, tensor: Tensor) -> int:
        """The buffer of a constant; 0 for what is computed."""
        if tensor.data is None:
            # A variable has a buffer of its own; 0 says "none" for all of them alike.
            return 0
        raw = _raw(tensor)
        # A few bytes tell most constants apart, and the others are compared.
        alike = self.stored.setdefault((raw.size, raw[:: raw.size // 64 + 1].tobytes()), [])
        for place in alike:
            if np.array_equal(self.contents[place], raw):
                return place
        alike.append(self._add(raw))
        return alike[-1]

    def _add(self, content: np.ndarray) -> int:
        self.contents.append(content)
        return len(self.contents) - 1

    def _buffer(self, content: np.ndarray) -> Any:
        buffer = self.s.BufferT()
        buffer.data = content if content.size else None
        return buffer

    def _indices(self, tensors: list[Tensor]) -> np.ndarray:
        return np.array([self.index[t] for t in tensors], np.int32)

    def _operator(self, op: Operator) -> Any:
        packed = self.s.OperatorT()
        key = (op.code, operator_version(op))
        packed.opcodeIndex = self.codes.setdefault(key, len(self.codes))
        packed.inputs = np.array([-1 if t is None else self.index[t] for t in op.inputs], np.int32)
        packed.outputs = self._indices(op.outputs)
        if op.options is not None:
            packed.builtinOptionsType = getattr(self.s.BuiltinOptions, op.options.table)
            packed.builtinOptions = self._options(op.options)
        return packed

    def _options(self, options: Options) -> Any:
        packed = getattr(self.s, f"{options.table}T")()
        for name, value in options.fields.items():
            assert hasattr(packed, name), (options.table, name)
            setattr(packed, name, value)
        return packed

    def _code(self, name: str, version: int) -> Any:
        code = self.s.OperatorCodeT()
        number = int(getattr(self.s.BuiltinOperator, name))
        code.builtinCode = number
        code.deprecatedBuiltinCode = min(number, 127)  # a byte, read by runtimes of before 2020
        code.version = version
        return code

    def _signature(self) -> Any:
        signature = self.s.SignatureDefT()
        signature.signatureKey = SIGNATURE
        inputs, outputs = self.model.names
        signature.inputs = self._maps(inputs, self.model.inputs)
        signature.outputs = self._maps(outputs, self.model.outputs)
        return signature

    def _maps(self, names: list[str], tensors: list[Tensor]) -> list[Any]:
        found = []
        for name, tensor in zip(names, tensors, strict=True):
            entry = self.s.TensorMapT()
            entry.name, entry.tensorIndex = name, self.index[tensor]
            found.append(entry)
        return found

    def _metadata(self, name: str, content: bytes) -> Any:
        entry = self.s.MetadataT()
        entry.name, entry.buffer = name, self._add(np.frombuffer(content, np.uint8))
        return entry


def _raw(tensor: Tensor) -> np.ndarray:
    assert tensor.data is not None
    data = np.ascontiguousarray(tensor.data, tensor.dtype)
    if tensor.bits == 4:
        flat = np.append(data.reshape(-1), np.zeros(data.size % 2, data.dtype)).astype(np.uint8)
        return (flat[0::2] & 0x0F) | ((flat[1::2] & 0x0F) << 4)
    return data.reshape(-1).view(np.uint8) if data.size else np.zeros(0, np.uint8)
