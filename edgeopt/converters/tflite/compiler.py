"""From an ONNX graph, float or QDQ, to the bytes of a ``.tflite``."""

from __future__ import annotations

from edgeopt.converters.tflite.flatbuffer import to_flatbuffer
from edgeopt.converters.tflite.fusions.expands import fuse_expands
from edgeopt.converters.tflite.fusions.gelu import fuse_gelu
from edgeopt.converters.tflite.fusions.hard_swish import fuse_hard_swish
from edgeopt.converters.tflite.fusions.pads import fuse_pads
from edgeopt.converters.tflite.model import Model
from edgeopt.converters.tflite.passes.activations import fuse_activations
from edgeopt.converters.tflite.passes.biases import fuse_biases
from edgeopt.converters.tflite.passes.cleanup import drop_unread
from edgeopt.converters.tflite.passes.constants import Stored, halve_constants, place_constants
from edgeopt.converters.tflite.passes.ends import (
    integer_ends,
    quantize_bounded_outputs,
    refuse_float_ends,
)
from edgeopt.converters.tflite.passes.integers import make_integer
from edgeopt.converters.tflite.passes.pools import pools_as_convolutions
from edgeopt.converters.tflite.passes.sharing import spare_shared
from edgeopt.converters.tflite.passes.strides import strides_as_convolutions
from edgeopt.converters.tflite.walk import lower
from edgeopt.core.ir import ir


def compile_model(
    model: ir.Model,
    *,
    channels_last: bool = False,
    name: str = "model",
    stored: Stored = Stored.DEQUANTIZED,
    halves: bool = False,
    integers: bool = False,
) -> Model:
    """Lower an ONNX model and run the passes.

    Args:
        model: Float, or with Q/DQ pairs.
        channels_last: Whether image inputs have channels last.
        name: The model's, for messages.
        stored: What float operators do with weights that are stored as integers.
        halves: Whether float weights are stored as float16.
        integers: Whether an integer model takes and gives integers.

    Raises:
        UnsupportedError: If LiteRT can't express a node; or an integer model would take or give
            floats.
        ModelError: If the graph contradicts itself.
    """
    for fuse in (fuse_pads, fuse_expands, fuse_gelu, fuse_hard_swish):
        fuse(model.graph)
    lowered = lower(model, channels_last=channels_last, name=name)
    drop_unread(lowered)
    fuse_biases(lowered)
    fuse_activations(lowered)
    if integers:
        quantize_bounded_outputs(lowered)
    make_integer(lowered)
    drop_unread(lowered)
    pools_as_convolutions(lowered)
    strides_as_convolutions(lowered)
    place_constants(lowered, stored)
    if halves:
        halve_constants(lowered)
    if integers:
        integer_ends(lowered)
        refuse_float_ends(lowered, name)
    spare_shared(lowered)
    return lowered


def compile_bytes(model: ir.Model, *, channels_last: bool = False, name: str = "model") -> bytes:
    """The same, as the bytes of a file."""
    return to_flatbuffer(compile_model(model, channels_last=channels_last, name=name))
