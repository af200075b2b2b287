"""A kit: all that a device needs to build its engine and time it."""

from __future__ import annotations

import shutil
from pathlib import Path

from edgeopt.converters.writer import WriteRequest
from edgeopt.core.manifest import ShapeRange
from edgeopt.core.record import to_json

MODEL, ORDER = "model.onnx", "kit.json"


def write_kit(request: WriteRequest, onnx: Path, shapes: tuple[ShapeRange, ...]) -> None:
    """Write a kit's folder at ``request.path``."""
    request.path.mkdir()
    shutil.copyfile(onnx, request.path / MODEL)
    order = {"profiles": {s.input: [s.least, s.usual, s.largest] for s in shapes}}
    (request.path / ORDER).write_bytes(to_json(order))
