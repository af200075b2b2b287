"""From an ONNX graph, float or QDQ, to the bytes of a ``.tflite``."""

from __future__ import annotations

from edgeopt.converters.tflite.flatbuffer import to_flatbuffer
from edgeopt.converters.tflite.lowering import lower
from edgeopt.converters.tflite.model import Model
from edgeopt.converters.tflite.passes.activations import fuse_activations
from edgeopt.converters.tflite.passes.cleanup import drop_unread
from edgeopt.core.ir import ir


def compile_model(model: ir.Model, *, channels_last: bool = False, name: str = "model") -> Model:
    """Lower an ONNX model and run the passes.

    Args:
        model: Float, or with Q/DQ pairs.
        channels_last: Whether image inputs have channels last.
        name: The model's, for messages.

    Raises:
        UnsupportedError: If LiteRT can't express a node.
        ModelError: If the graph contradicts itself.
    """
    lowered = lower(model, channels_last=channels_last, name=name)
    drop_unread(lowered)
    fuse_activations(lowered)
    return lowered


def compile_bytes(model: ir.Model, *, channels_last: bool = False, name: str = "model") -> bytes:
    """The same, as the bytes of a file."""
    return to_flatbuffer(compile_model(model, channels_last=channels_last, name=name))
