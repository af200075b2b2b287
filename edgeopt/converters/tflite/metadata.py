"""The preprocessing contract as TFLite's own metadata, which Android's libraries read.

The schema is tflite-support's ``metadata_schema.fbs`` (``M001``); of it are written: the names of
inputs and outputs, and of an image its size, color space, and normalization.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from edgeopt.converters.tflite.model import Model, Tensor
from edgeopt.core.ends import image
from edgeopt.core.layout import Layout
from edgeopt.core.preprocessing import Preprocessing

IDENTIFIER = b"M001"
_OLDEST_READER = "1.0.0"
_COLORS = {"rgb": 1, "gray": 2}
"""ColorSpaceType; it has none for bgr."""

_IMAGE_PROPERTIES = 2
_NORMALIZATION = 1


def preprocessing_metadata(model: Model, contract: Preprocessing, layout: Layout) -> bytes:
    """The metadata of a model that takes images.

    The schema's normalization is ``(pixel - mean) / std``, so that ours has its scale in both.

    Args:
        model: As it is written.
        contract: How pictures become its input.
        layout: Of its image inputs.
    """
    import flatbuffers

    builder = flatbuffers.Builder(1024)
    inputs, outputs = model.names
    graph = {
        2: _vector(
            builder,
            [
                _input(builder, name, tensor, contract, layout)
                for name, tensor in zip(inputs, model.inputs, strict=True)
            ],
        ),
        3: _vector(builder, [_table(builder, {0: builder.CreateString(n)}) for n in outputs]),
    }
    slots = {
        3: _vector(builder, [_table(builder, graph)]),
        7: builder.CreateString(_OLDEST_READER),
    }
    builder.Finish(_table(builder, slots), IDENTIFIER)
    return bytes(builder.Output())


def _input(builder: Any, name: str, tensor: Tensor, contract: Preprocessing, layout: Layout) -> int:
    slots = {0: builder.CreateString(name)}
    if image(len(tensor.shape)):
        slots[1] = builder.CreateString(_description(contract))
        slots[3] = _content(builder, tensor, contract, layout)
        slots[4] = _vector(builder, [_normalization(builder, contract)])
    return _table(builder, slots)


def _content(builder: Any, tensor: Tensor, contract: Preprocessing, layout: Layout) -> int:
    height, width = tensor.shape[1:3] if layout is Layout.NHWC else tensor.shape[2:4]
    size = _table(builder, {}, {0: ("Uint32", width), 1: ("Uint32", height)})
    color = {0: ("Int8", _COLORS.get(contract.color, 0))}
    properties = _table(builder, {1: size}, color)
    return _table(builder, {1: properties}, {0: ("Uint8", _IMAGE_PROPERTIES)})


def _normalization(builder: Any, contract: Preprocessing) -> int:
    mean, std = (
        builder.CreateNumpyVector((np.array(values) / contract.scale).astype(np.float32))
        for values in (contract.mean, contract.std)
    )
    options = _table(builder, {0: mean, 1: std})
    return _table(builder, {1: options}, {0: ("Uint8", _NORMALIZATION)})


def _description(contract: Preprocessing) -> str:
    steps = [f"a picture of {contract.color} pixels from 0 to 255"]
    if contract.resize is not None:
        sides = contract.resize
        to = (
            f"{sides[0]} x {sides[1]}" if isinstance(sides, tuple) else f"a shorter side of {sides}"
        )
        steps.append(f"resized to {to} ({contract.interpolation})")
    if contract.crop is not None:
        steps.append(f"cropped to {contract.crop} in the middle")
    return ", ".join(steps)


def _table(
    builder: Any, children: dict[int, int], numbers: dict[int, tuple[str, int]] | None = None
) -> int:
    """A table of what was built before, and of numbers, by field."""
    numbers = numbers or {}
    builder.StartObject(max((*children, *numbers), default=-1) + 1)
    for slot, child in children.items():
        builder.PrependUOffsetTRelativeSlot(slot, child, 0)
    for slot, (kind, number) in numbers.items():
        getattr(builder, f"Prepend{kind}Slot")(slot, number, 0)
    return int(builder.EndObject())


def _vector(builder: Any, children: Sequence[int]) -> int:
    builder.StartVector(4, len(children), 4)
    for child in reversed(children):
        builder.PrependUOffsetTRelative(child)
    return int(builder.EndVector())
