"""The peer: a process that parses an ONNX file and builds an engine of it, and does nothing more.

Usage: tensorrt_build.py MODEL.onnx ENGINE SM86 NAME=1x3x224x224...
"""

from __future__ import annotations

import sys
from pathlib import Path

import tensorrt_rtx as trt


def build(onnx: str, engine: str, capability: str, shapes: dict[str, tuple[int, ...]]) -> None:
    """Build with the least that TensorRT has to be told."""
    logger = trt.Logger(trt.Logger.ERROR)
    builder = trt.Builder(logger)
    network = builder.create_network(1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED))
    parser = trt.OnnxParser(network, logger)
    if not parser.parse_from_file(onnx):
        raise SystemExit(parser.get_error(0).desc())
    config = builder.create_builder_config()
    profile = builder.create_optimization_profile()
    for name, shape in shapes.items():
        profile.set_shape(name, shape, shape, shape)
    config.add_optimization_profile(profile)
    config.num_compute_capabilities = 1
    config.set_compute_capability(getattr(trt.ComputeCapability, capability), 0)
    Path(engine).write_bytes(builder.build_serialized_network(network, config))


if __name__ == "__main__":
    pairs = (text.split("=") for text in sys.argv[4:])
    sizes = {name: tuple(int(size) for size in text.split("x")) for name, text in pairs}
    build(sys.argv[1], sys.argv[2], sys.argv[3], sizes)
