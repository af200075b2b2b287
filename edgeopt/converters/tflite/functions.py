"""Operators that ONNX itself defines by others: their bodies, ready to be walked.

Attention, RotaryEmbedding, GroupNormalization, Mish and some forty more have one. What it says is
what the operator means, by definition.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from edgeopt.core.ir import ir

if TYPE_CHECKING:
    import onnx

    Type = tuple[np.dtype[Any], tuple[int | None, ...]]


def body_of(node: ir.Node, opset: int, types: Sequence[Type | None]) -> ir.Model | None:
    """A model that does what a node does; None if ONNX doesn't define it by others.

    Its inputs are those of the node that aren't left out, its outputs the node's, in order.

    Args:
        node: Of a standard operator.
        opset: The node's.
        types: Of the node's inputs, with their sizes (None where the batch decides); None where one
            is left out.
    """
    import onnx

    try:
        schema = onnx.defs.get_schema(node.op_type, opset, "")
    except onnx.defs.SchemaError:
        return None
    proto = ir.to_proto(node)
    function = _function(schema, proto, types, opset)
    if function is None:
        return None
    given = {a.name: a for a in proto.attribute}
    defaults = {n: a.default_value for n, a in schema.attributes.items() if a.default_value.name}
    left_out = set(function.input[len(proto.input) :])
    left_out.update(f for f, a in zip(function.input, proto.input, strict=False) if not a)
    nodes = [_resolved(inner, {**defaults, **given}, left_out) for inner in function.node]
    formal = [f for f in function.input if f not in left_out]
    graph = onnx.helper.make_graph(
        nodes,
        node.op_type,
        [onnx.helper.make_empty_tensor_value_info(name) for name in formal],
        [onnx.helper.make_empty_tensor_value_info(name) for name in function.output],
    )
    model = onnx.helper.make_model(graph, opset_imports=list(function.opset_import))
    body: ir.Model = ir.from_proto(model)
    return body


def _function(schema: Any, node: onnx.NodeProto, types: Sequence[Type | None], opset: int) -> Any:
    import onnx

    function = onnx.FunctionProto()
    if schema.has_context_dependent_function:
        versions = [v for v in schema.context_dependent_function_opset_versions if v <= opset]
        kinds = [_type(t) for t in types]
        if not versions:
            return None
        found = schema.get_context_dependent_function_with_opset_version(
            max(versions), node.SerializeToString(), kinds
        )
    elif schema.has_function:
        versions = [v for v in schema.function_opset_versions if v <= opset]
        if not versions:
            return None
        found = schema.get_function_with_opset_version(max(versions))
    else:
        return None
    function.ParseFromString(found)
    return function if function.node else None


def _type(given: Type | None) -> bytes:
    import onnx

    if given is None:
        return b""
    kind = onnx.helper.np_dtype_to_tensor_dtype(given[0])
    return bytes(onnx.helper.make_tensor_type_proto(kind, given[1]).SerializeToString())


def _resolved(node: Any, attributes: dict[str, Any], left_out: set[str]) -> Any:
    """A body's node with the attributes of the node that it stands for."""
    import onnx

    copy = onnx.NodeProto()
    copy.CopyFrom(node)
    del copy.attribute[:]
    for attribute in node.attribute:
        if not attribute.ref_attr_name:
            copy.attribute.append(attribute)
        elif attribute.ref_attr_name in attributes:
            added = copy.attribute.add()
            added.CopyFrom(attributes[attribute.ref_attr_name])
            added.name = attribute.name
    for n, name in enumerate(copy.input):
        if name in left_out:
            copy.input[n] = ""
    return copy
