"""Undoing an artifact's integers in places, as converting with an option would."""

from __future__ import annotations

from edgeopt.core.ir import ir
from edgeopt.pipeline.diagnosis.counterparts import before_pair, pairs, stored_constant
from edgeopt.pipeline.diagnosis.needing import unneeded_pairs
from edgeopt.pipeline.diagnosis.points import layer_chain
from edgeopt.pipeline.diagnosis.records import Keep
from edgeopt.pipeline.diagnosis.weights import reads_the_same
from edgeopt.pipeline.inspection.encodings import encoded_tensor


class Freeing:
    """Puts parts of the float graph back into an artifact.

    Args:
        reference: The float graph.
        graph: The artifact's; it is edited.
    """

    def __init__(self, reference: ir.Graph, graph: ir.Graph) -> None:
        self.reference, self.graph = reference, graph
        self.nodes = {node.name: node for node in graph if node.name}

    def apply(self, keep: Keep, tensor: str) -> bool:
        """Do what converting with an option would do, nearly; False where it can't be done.

        A tensor of 16 bits is as good as a float one.

        Args:
            keep: The layers.
            tensor: The tensor whose sake 16 bits are for.
        """
        if not keep.floating:
            return self.free_tensor(tensor)
        return all(self.free_layer(name) for name in keep.layers)

    def free_layer(self, name: str) -> bool:
        """A layer's weights and bias as the float graph has them.

        What integer layers around it need stays quantized.
        """
        node = next((n for n in self.reference if n.name == name), None)
        same = self.nodes.get(name)
        if node is None or same is None:
            return False
        if stored_constant(_weight(same)) is not None:
            if not reads_the_same(node, same):
                return False
            for mine in layer_chain(node):
                if mine.name in self.nodes:
                    self._restore(mine, self.nodes[mine.name])
        for pair in list(unneeded_pairs(self.graph, same)):
            self.free_tensor(encoded_tensor(pair))
        return True

    def _restore(self, node: ir.Node, same: ir.Node) -> None:
        for index, value in enumerate(same.inputs):
            constant = value is not None and value.const_value is not None
            if constant or stored_constant(value) is not None:
                original = node.inputs[index] if index < len(node.inputs) else None
                same.replace_input_with(index, self._copy(original))

    def _copy(self, value: ir.Value | None) -> ir.Value | None:
        if value is None or value.const_value is None:
            return None
        name = f"float/{value.name}"
        if name not in self.graph.initializers:
            copy = ir.Value(name=name, const_value=value.const_value)
            self.graph.register_initializer(copy)
        return self.graph.initializers[name]

    def free_tensor(self, tensor: str) -> bool:
        """Take the pair of a tensor out; a clamp that its integers took over comes back."""
        node = self._pair(tensor)
        before = before_pair(node) if node is not None else None
        if node is None or before is None:
            return False
        after, name = node.outputs[0], node.outputs[0].name
        free = self._clamped(tensor, before)
        leaves = after.is_graph_output()
        after.replace_all_uses_with(free, replace_graph_outputs=True)
        if leaves:
            after.name, free.name = f"{name}_quantized", name
        first = node.inputs[0].producer() if node.inputs[0] is not None else None
        self.graph.remove(node, safe=True)
        if first is not None and not first.outputs[0].uses():
            self.graph.remove(first, safe=True)
        return True

    def _pair(self, tensor: str) -> ir.Node | None:
        return next((n for n in pairs(self.graph) if encoded_tensor(n) == tensor), None)

    def _clamped(self, tensor: str, before: ir.Value) -> ir.Value:
        clamp = next((n for n in self.reference if n.outputs[0].name == tensor), None)
        gone = clamp is not None and clamp.name not in self.nodes
        if clamp is None or not gone or clamp.op_type not in ("Relu", "Clip"):
            return before
        bounds = [self._copy(v) for v in clamp.inputs[1:]]
        node = ir.node(clamp.op_type, [before, *bounds], name=f"float/{clamp.name}")
        node.outputs[0].name = f"float/{tensor}"
        node.outputs[0].type, node.outputs[0].shape = before.type, before.shape
        producer = before.producer()
        assert producer is not None, "only a node's output is clamped"
        self.graph.insert_after(producer, node)
        return node.outputs[0]


def _weight(node: ir.Node) -> ir.Value | None:
    return node.inputs[1] if len(node.inputs) > 1 else None
