"""Each layer alone: the artifact's weights, fed with the float graph's own values.

What they differ by from the float layer is the noise of its weights, and of nothing else. The
layers are copied from the artifact into the float graph, beside the layers that they came from,
with whatever constants and nodes stand between them and values that the float graph has: where
channels were scaled before a layer, its copy reads scaled channels too, and so the scaled tensor
can be compared, which the float graph itself lacks.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from edgeopt.core.ir import ir
from edgeopt.pipeline.diagnosis.counterparts import before_pair, stored_constant, values_of
from edgeopt.pipeline.diagnosis.points import LAYER_OPS, layer_chain
from edgeopt.pipeline.inspection.encodings import encoded_tensor
from edgeopt.pipeline.inspection.graph import DEQUANTIZE

PREFIX = "alone/"


class Copier:
    """Copies parts of an artifact into its float graph.

    Args:
        graph: The float graph; it is edited.
        artifact: The artifact's.
    """

    def __init__(self, graph: ir.Graph, artifact: ir.Graph) -> None:
        self.graph = graph
        self.nodes = {node.name: node for node in artifact if node.name}
        self.originals = tuple(graph)
        self.known = values_of(graph)
        self.copied: dict[ir.Value, ir.Value] = {}

    def layers_alone(self) -> dict[str, ir.Value]:
        """Copy every layer whose weights were rounded.

        Returns:
            The outputs of the copies, by the name of the layer's output in the float graph.
        """
        # What is merged into a layer is looked for before copies read the same values.
        chains = [layer_chain(n) for n in self.originals if n.op_type in LAYER_OPS and not n.domain]
        found: dict[str, ir.Value] = {}
        for first, *merged in chains:
            same = self.nodes.get(first.name or "")
            if same is None or not has_rounded_weights(same):
                continue
            value = self._copy(same, same.inputs)
            for node in merged:
                value = self._copy_after(node, value)
            found[(merged or [first])[-1].outputs[0].name or ""] = value
        return found

    def value(self, value: ir.Value) -> ir.Value:
        """What stands in the float graph for a value of the artifact, before any rounding."""
        if value.graph is self.graph:
            return value
        if value not in self.copied:
            self.copied[value] = self._resolved(value)
        return self.copied[value]

    def _copy(self, node: ir.Node, inputs: Iterable[ir.Value | None]) -> ir.Value:
        """A node of the artifact, reading the float graph's values."""
        return self._append(node, [None if v is None else self.value(v) for v in inputs])

    def _copy_after(self, node: ir.Node, before: ir.Value) -> ir.Value:
        """A node of the float graph that was merged into a layer, reading the layer's copy.

        Its constants are the artifact's, where they may have been corrected, if it is still there.
        """
        same = self.nodes.get(node.name or "", node)
        fixed = [v if v is not None and v.const_value is not None else None for v in same.inputs]
        return self._append(node, [before if v is None else self.value(v) for v in fixed])

    def _append(self, node: ir.Node, inputs: list[ir.Value | None]) -> ir.Value:
        copy = ir.Node(
            node.domain,
            node.op_type,
            inputs,
            attributes=list(node.attributes.values()),
            name=f"{PREFIX}{node.name}",
        )
        copy.outputs[0].name = self._free(f"{PREFIX}{node.outputs[0].name}")
        copy.outputs[0].type = _float32(node.outputs[0].type)
        self.graph.append(copy)
        self.known[copy.outputs[0].name] = copy.outputs[0]
        return copy.outputs[0]

    def _resolved(self, value: ir.Value) -> ir.Value:
        constant = _rounded_constant(value)
        if constant is not None:
            copy = ir.Value(name=self._free(f"{PREFIX}{value.name}"), const_value=constant)
            self.graph.register_initializer(copy)
            return copy
        node = value.producer()
        before = before_pair(node) if node is not None and node.op_type == DEQUANTIZE else None
        if node is not None and before is not None:
            return self.known.get(encoded_tensor(node)) or self.value(before)
        if value.name in self.known:
            return self.known[value.name]
        assert node is not None, f"{value.name} is an input that the float graph lacks"
        if node.op_type == "Cast" and node.inputs[0] is not None:
            return self.value(node.inputs[0])  # between float32 and float16
        return self._copy(node, node.inputs)

    def _free(self, name: str) -> str:
        taken = self.known.keys() | self.graph.initializers.keys()
        return next(n for i in range(len(taken) + 1) if (n := f"{name}{'_' * i}") not in taken)


def has_rounded_weights(node: ir.Node) -> bool:
    """Whether a layer of an artifact reads constants as its weights that aren't float32."""
    weight = node.inputs[1] if len(node.inputs) > 1 else None
    if weight is None:
        return False
    halves = weight.const_value is not None and weight.dtype == ir.DataType.FLOAT16
    return halves or stored_constant(weight) is not None


def dequantized(stored: ir.Node) -> np.ndarray:
    """The real values of constant integers, float32.

    Args:
        stored: Their DequantizeLinear, of constants only, with scales by tensor or by channel.
    """
    integers, scale, zero = constants(stored)
    shape = [1] * integers.ndim
    if scale.size > 1:
        shape[stored.attributes.get_int("axis", 1)] = -1
    wide = integers.astype(np.float32) - zero.astype(np.float32).reshape(_by(zero, shape))
    result: np.ndarray = wide * scale.astype(np.float32).reshape(_by(scale, shape))
    return result


def constants(stored: ir.Node) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A DequantizeLinear's integers, scales and zero points."""
    found = [v.const_value.numpy() for v in stored.inputs if v is not None and v.const_value]
    integers, scale, *zero = found
    return integers, scale, zero[0] if zero else np.zeros((), np.int8)


def _by(array: np.ndarray, shape: list[int]) -> list[int]:
    return shape if array.size > 1 else []


def _float32(kind: ir.TypeProtocol | None) -> ir.TypeProtocol:
    halves = kind is None or kind.dtype == ir.DataType.FLOAT16
    return ir.TensorType(ir.DataType.FLOAT) if halves or kind is None else kind


def _rounded_constant(value: ir.Value) -> ir.TensorProtocol | None:
    """A constant as the float graph takes it: rounded, but in float32."""
    stored = stored_constant(value)
    if stored is not None:
        return ir.tensor(dequantized(stored))
    constant = value.const_value
    if constant is not None and constant.dtype == ir.DataType.FLOAT16:
        return ir.tensor(constant.numpy().astype(np.float32))
    return constant
