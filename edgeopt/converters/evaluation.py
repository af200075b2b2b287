"""What a node gives on given arrays: for constants, which are computed before a model runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
from onnx import helper

from edgeopt.core.errors import EdgeOptError, ModelError, UnsupportedError
from edgeopt.core.ir import ir
from edgeopt.core.runtime import run_once

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

_IR_VERSION = 10
"""Of a model of one node: any runtime we have reads it."""


def evaluate(node: ir.Node, inputs: Sequence[Array | None], name: str) -> list[Array]:
    """Run a node: in ONNX Runtime, or by ONNX's reference where that has no such kernel.

    The reference could do alone, but importing it takes longer than most models take to compile.

    Args:
        node: Of the standard operators, in a graph.
        inputs: Its inputs; None where an optional one is left out.
        name: The model's, for messages.

    Raises:
        ModelError: If the node fails on its inputs.
        UnsupportedError: If nothing can compute it.
    """
    model, feeds = _alone(node, inputs)
    try:
        found = run_once(model.SerializeToString(), feeds, name)
    except EdgeOptError:
        found = _by_reference(model, feeds, node, name)
    return [np.asarray(array) for array in found]


def _alone(
    node: ir.Node, inputs: Sequence[Array | None]
) -> tuple[onnx.ModelProto, dict[str, Array]]:
    """A model of one node, and what goes into it."""
    feeds = {f"i{n}": array for n, array in enumerate(inputs) if array is not None}
    outputs = [f"o{n}" for n in range(len(node.outputs))]
    proto = onnx.NodeProto()
    proto.CopyFrom(ir.to_proto(node))
    del proto.input[:], proto.output[:]
    proto.input.extend("" if array is None else f"i{n}" for n, array in enumerate(inputs))
    proto.output.extend(outputs)
    given = [
        helper.make_tensor_value_info(n, helper.np_dtype_to_tensor_dtype(a.dtype), a.shape)
        for n, a in feeds.items()
    ]
    made = [helper.make_empty_tensor_value_info(n) for n in outputs]
    graph = helper.make_graph([proto], "node", given, made)
    assert node.graph is not None
    opset = helper.make_opsetid("", node.graph.opset_imports.get("", 18))
    return helper.make_model(graph, opset_imports=[opset], ir_version=_IR_VERSION), feeds


def _by_reference(
    model: onnx.ModelProto, feeds: dict[str, Array], node: ir.Node, name: str
) -> list[Any]:
    from onnx.reference import ReferenceEvaluator

    try:
        found: list[Any] = ReferenceEvaluator(model).run(None, feeds)
    except NotImplementedError as error:
        raise UnsupportedError(
            f"{name}: {node.op_type} {node.name!r} can't be computed ahead: {error}",
            hint="export the model with that constant computed",
        ) from error
    except Exception as error:
        # The reference raises whatever numpy does.
        raise ModelError(
            f"{name}: {node.op_type} {node.name!r} fails on its constants: {error}",
            hint="check the file with onnx.checker.check_model",
        ) from error
    return found
