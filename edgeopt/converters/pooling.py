"""One form for the global average pool.

PyTorch writes ``x.mean((2, 3))`` as ReduceMean, and so does an adaptive pool to 1x1. Runtimes have
integer kernels for GlobalAveragePool only, so the mean over both image axes becomes that.
"""

from __future__ import annotations

from edgeopt.core.ir import convenience, ir


def canonical_pooling(graph: ir.Graph) -> None:
    """Replace every ReduceMean over both image axes of ``(N, C, H, W)``."""
    for node in list(graph):
        if node.op_type == "ReduceMean" and not node.domain and _over_image(node):
            _replace(graph, node)


def _over_image(node: ir.Node) -> bool:
    data = node.inputs[0]
    if data is None or data.shape is None or len(data.shape) != 4:
        return False
    return sorted(axis % 4 for axis in _axes(node)) == [2, 3]


def _axes(node: ir.Node) -> list[int]:
    # An attribute up to opset 17, an input from 18.
    if len(node.inputs) > 1:
        tensor = convenience.get_const_tensor(node.inputs[1]) if node.inputs[1] else None
        return [int(axis) for axis in tensor.numpy().reshape(-1)] if tensor is not None else []
    attribute = node.attributes.get("axes")
    return list(attribute.as_ints()) if attribute is not None else []


def _replace(graph: ir.Graph, node: ir.Node) -> None:
    keepdims = node.attributes.get("keepdims")
    kept = keepdims is None or keepdims.as_int() == 1
    pool = ir.node("GlobalAveragePool", [node.inputs[0]], name=node.name)
    added = [pool]
    if not kept:
        pool.outputs[0].name = f"{node.outputs[0].name}_pooled"
        added.append(
            ir.node("Flatten", [pool.outputs[0]], {"axis": 1}, name=f"{node.name}_flatten")
        )
    pool.outputs[0].type = node.outputs[0].type
    convenience.replace_nodes_and_values(
        graph, node, [node], added, node.outputs, added[-1].outputs
    )
