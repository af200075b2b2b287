"""What every graph from TensorFlow needs once it is ONNX."""

from __future__ import annotations

from pathlib import Path

from edgeopt.converters.dense import fuse_biases
from edgeopt.converters.loops import write_out_loops
from edgeopt.converters.places import count_from_the_end
from edgeopt.converters.reordering.transposes import move_transposes
from edgeopt.converters.shapes import constant_shapes
from edgeopt.converters.sources.tensorflow.complementary import plain_erf
from edgeopt.core.ir import ir, passes
from edgeopt.core.onnx_file import save_apart
from edgeopt.core.runtime import open_session

_LEFT_OUT = ("MatMulAddFusion", "ConstantSharing", "TransposeOptimizer")
"""As in :mod:`edgeopt.converters.simplify`, which comes after."""


def tidy(path: Path, name: str) -> None:
    """Fold constants, write loops out, turn erfc, make shapes constants, move transposes; in place.

    Args:
        path: The ONNX file.
        name: The model's name, for messages.
    """
    model = _folded(path, name)
    if write_out_loops(model):
        passes.RemoveUnusedNodesPass()(model)
        save_apart(model, path)
        model = _folded(path, name)
    constant_shapes(model)
    plain_erf(model.graph)
    passes.RemoveUnusedNodesPass()(model)
    count_from_the_end(model.graph)
    move_transposes(model)
    constant_shapes(model)  # a transpose of axes of size 1 is a Reshape
    fuse_biases(model.graph)
    save_apart(model, path)


def _folded(path: Path, name: str) -> ir.Model:
    folded = path.with_name("tidied.onnx")
    open_session(path, level="basic", optimized=folded, disabled=_LEFT_OUT, threads=1, name=name)
    model = ir.load(folded)
    ir.external_data.load_to_model(model)
    return model
