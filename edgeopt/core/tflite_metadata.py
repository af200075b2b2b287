"""Reading TFLite's own metadata: how an image becomes what a model takes, as its maker says."""

from __future__ import annotations

from typing import Any

import numpy as np

from edgeopt.core.record import Record

NAME = "TFLITE_METADATA"
OLDEST_RUNTIME = "min_runtime_version"
"""Metadata of its own: the oldest runtime that has the operators, by TensorFlow Lite's numbers."""

IDENTIFIER = b"M001"
_COLORS = {1: "rgb", 2: "gray"}
_IMAGE_PROPERTIES = 2
_NORMALIZATION = 1
_MOST = 10_000
"""Entries of a vector above which it is taken for damaged."""


class StoredNormalization(Record, frozen=True):
    """``value = (pixel - mean) / std``, with pixels from 0 to 255.

    Args:
        input: The input's name.
        mean: One number, or one a channel.
        std: Likewise.
        color: ``rgb`` or ``gray``; empty where it isn't told.
    """

    input: str
    mean: tuple[float, ...]
    std: tuple[float, ...]
    color: str = ""


def read_normalization(content: bytes) -> tuple[StoredNormalization, ...]:
    """The normalization of each input that has one.

    Args:
        content: The metadata's own flatbuffer.

    Raises:
        ValueError: If it isn't one, or is damaged; ``struct.error`` likewise.
    """
    from flatbuffers import encode, packer, table

    if content[4:8] != IDENTIFIER:
        raise ValueError("not metadata")
    root = _Table(table.Table(content, encode.Get(packer.uoffset, content, 0)))
    graphs = root.tables(3)
    inputs = graphs[0].tables(2) if graphs else []
    found = []
    for one in inputs:
        for unit in one.tables(4):
            options = unit.table(1)
            if unit.byte(0) == _NORMALIZATION and options is not None:
                mean, std = options.floats(0), options.floats(1)
                name, color = one.text(0), _color(one)
                found.append(StoredNormalization(input=name, mean=mean, std=std, color=color))
    return tuple(found)


def _color(tensor: _Table) -> str:
    content = tensor.table(3)
    if content is None or content.byte(0) != _IMAGE_PROPERTIES:
        return ""
    properties = content.table(1)
    return "" if properties is None else _COLORS.get(properties.byte(0), "")


class _Table:
    """A table by its fields' numbers."""

    def __init__(self, table: Any) -> None:
        self.table_ = table

    def _offset(self, field: int) -> int:
        return int(self.table_.Offset(4 + 2 * field))

    def byte(self, field: int) -> int:
        offset = self._offset(field)
        return int(self.table_.Bytes[offset + self.table_.Pos]) if offset else 0

    def text(self, field: int) -> str:
        offset = self._offset(field)
        raw = self.table_.String(offset + self.table_.Pos) if offset else b""
        return str(raw.decode("utf-8", "replace"))

    def table(self, field: int) -> _Table | None:
        offset = self._offset(field)
        return self._at(self.table_.Pos + offset) if offset else None

    def tables(self, field: int) -> list[_Table]:
        offset = self._offset(field)
        if not offset:
            return []
        start = self.table_.Vector(offset)
        return [self._at(start + 4 * n) for n in range(self._length(offset))]

    def floats(self, field: int) -> tuple[float, ...]:
        offset = self._offset(field)
        if not offset:
            return ()
        start, count = self.table_.Vector(offset), self._length(offset)
        return tuple(np.frombuffer(self.table_.Bytes, "<f4", count, start).tolist())

    def _length(self, offset: int) -> int:
        length = int(self.table_.VectorLen(offset))
        if length > _MOST:
            raise ValueError("more entries than a model has")
        return length

    def _at(self, place: int) -> _Table:
        from flatbuffers import table

        return _Table(table.Table(self.table_.Bytes, self.table_.Indirect(place)))
