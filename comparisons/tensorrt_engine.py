"""Building an engine as a conversion does it, from the prepared ONNX on: a process, layers read.

Usage: tensorrt_engine.py MODEL.onnx ENGINE SM86 NAME=1x3x224x224...
"""

from __future__ import annotations

import sys
from pathlib import Path

from edgeopt.converters.build_options import BuildOptions
from edgeopt.converters.tensorrt.building import build_engine
from edgeopt.converters.tensorrt.delivery import RTX, Builder
from edgeopt.converters.tensorrt.readback import read_back
from edgeopt.core.manifest import ShapeRange

if __name__ == "__main__":
    onnx, engine, capability, *inputs = sys.argv[1:]
    shapes = []
    for text in inputs:
        name, _, sizes = text.partition("=")
        shape = tuple(int(size) for size in sizes.split("x"))
        shapes.append(ShapeRange(name, shape, shape, shape))
    built = build_engine(
        Builder(RTX, capability), Path(onnx), Path(engine), tuple(shapes), BuildOptions(), onnx
    )
    assert read_back(built.layers, []).layers
