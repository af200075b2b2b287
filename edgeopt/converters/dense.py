"""Dense layers as one node: a matrix product and the bias after it."""

from __future__ import annotations

from edgeopt.core.ir import convenience, ir


def fuse_biases(graph: ir.Graph) -> None:
    """Make a Gemm of every MatMul of ``(N, K)`` with constant weights whose bias is added.

    Runtimes have integer kernels for it that add the bias as well; a MatMul followed by an Add
    stays in float where it is the last of a graph.
    """
    for node in list(graph):
        add = _bias(node)
        if add is not None:
            _fuse(graph, node, add)


def _bias(node: ir.Node) -> ir.Node | None:
    data, weight = (*node.inputs, None, None)[:2]
    if node.op_type != "MatMul" or node.domain or data is None or len(data.shape or ()) != 2:
        return None
    users = [user for user, _ in node.outputs[0].uses()]
    tensor = None if weight is None else convenience.get_const_tensor(weight)
    if tensor is None or len(tensor.shape) != 2 or len(users) != 1:
        return None
    add = users[0]
    if add.op_type != "Add" or node.outputs[0].is_graph_output():
        return None
    other = next((v for v in add.inputs if v is not node.outputs[0]), None)
    bias = None if other is None else convenience.get_const_tensor(other)
    return add if bias is not None and tuple(bias.shape) == (tensor.shape[1],) else None


def _fuse(graph: ir.Graph, product: ir.Node, add: ir.Node) -> None:
    bias = next(v for v in add.inputs if v is not product.outputs[0])
    gemm = ir.node("Gemm", [*product.inputs, bias], name=product.name)
    gemm.outputs[0].type, gemm.outputs[0].shape = add.outputs[0].type, add.outputs[0].shape
    convenience.replace_nodes_and_values(
        graph, add, [product, add], [gemm], add.outputs, gemm.outputs
    )
