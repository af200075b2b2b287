"""Where integers go in a graph for LiteRT: which nodes, and so which tensors.

Unlike ONNX Runtime's, LiteRT's integer kernels give integers: a matrix product's output is
quantized too, and what follows stays in integers as long as XNNPACK has a kernel for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import replace

from edgeopt.calibration.points import RESHAPING_OPS, after_clamp, is_activation, range_source
from edgeopt.calibration.ranges import Range
from edgeopt.converters.onnx.placement import (
    CONTROL_FLOW,
    KEPT_FLOAT,
    Placement,
    range_of,
    why_not_weights,
)
from edgeopt.converters.tflite.fusions.normalization import convolve_normalization
from edgeopt.core.ir import ir
from edgeopt.core.manifest import FloatLayer
from edgeopt.targets import EncodingRules, FixedEncoding

ANCHORS = frozenset({"Conv", "ConvTranspose", "Gemm", "MatMul"})
"""What has weights."""

FOLLOWERS = frozenset(
    {"Add", "Sub", "Mul", "Concat", "AveragePool", "GlobalAveragePool", "LeakyRelu", "Sigmoid",
     "Tanh", "Resize"}
)  # fmt: skip
"""What XNNPACK computes in 8-bit integers between those. Softmax, GELU and the like it doesn't:
there a float kernel between two conversions keeps the graph in one piece."""

_ROUNDING = FOLLOWERS - {"Concat"}
"""Those of them that round what they give."""

_FLOAT_ONLY = frozenset({"LSTM", "GRU", "RNN", "Einsum", "Attention"})
_LEAST_SHARE = 2.0**-9
"""Of a sum's scale that its parts' may be; XNNPACK leaves an ADD below 2^-10."""

_MULTIPLIED = frozenset({"Add", "Sub", "Mul"})


class LiteRtPlacement:
    """The rule, for one target; called as :data:`~edgeopt.converters.onnx.quantized.Place`.

    Args:
        rules: The target's for LiteRT.
        float_ends: Whether the model gives floats. Then nothing is rounded that only float nodes
            or nobody reads. A matrix product has a hybrid kernel for that: it rounds what it takes
            when the model runs, adds integers, and doesn't round them to 8 bits, which would be
            noise for nothing, and clip values beyond the range.
        integer_ends: Whether the model takes integers: the normalization of an image becomes a
            layer like the others.
    """

    def __init__(
        self, rules: EncodingRules, *, float_ends: bool = False, integer_ends: bool = False
    ) -> None:
        self.rules, self.float_ends, self.integer_ends = rules, float_ends, integer_ends

    def __call__(self, graph: ir.Graph, ranges: Mapping[str, Range], kept: Set[str]) -> Placement:
        """Plan the integer parts of a float graph.

        Args:
            graph: The float graph; edited with integer ends.
            ranges: Every usable range, by tensor.
            kept: Names of nodes that are to stay float.
        """
        ends = convolve_normalization(graph, ranges) if self.integer_ends else {}
        plan = _Plan(self.rules, {**ranges, **ends}, kept)
        for node in graph:
            plan.consider(node)
        if self.float_ends:
            for node in reversed(list(graph)):
                plan.reconsider(node)
        found = plan.placement(graph)
        return replace(found, ranges={**ends, **found.ranges})


class _Plan:
    def __init__(self, rules: EncodingRules, ranges: dict[str, Range], kept: Set[str]) -> None:
        self.rules, self.ranges, self.kept = rules, ranges, kept
        self.anchors: dict[ir.Node, None] = {}
        self.followers: dict[ir.Node, None] = {}
        self.hybrid: set[ir.Node] = set()
        self.refused: list[FloatLayer] = []
        self.equal = _Equal()
        self.fixed: dict[str, FixedEncoding] = {}
        self.widened: dict[str, Range] = {}
        self.outputs: dict[ir.Node, ir.Value] = {}

    def consider(self, node: ir.Node) -> None:
        """Decide about one node; those before it are decided."""
        if node.domain or node in self.followers:
            return
        if node.op_type in ANCHORS | _FLOAT_ONLY | CONTROL_FLOW:
            why = KEPT_FLOAT if node.name in self.kept else self._why_float(node)
            if why is None:
                self.anchors[node] = None
                self.outputs[node] = layer_output(node)
            else:
                layer = FloatLayer(node=node.name or "", op=node.op_type, reason=why)
                self.refused.append(layer)
        elif node.name not in self.kept and self._follows(node):
            self.followers[node] = None
            self.outputs[node] = after_clamp(node.outputs[0])

    def reconsider(self, node: ir.Node) -> None:
        """Leave a node's output float where nothing needs integers; those after it are settled."""
        if node not in self.outputs:
            return
        output = self.outputs[node]
        readers = [use.node for use in output.uses()]
        if output.is_graph_output() and readers:
            return
        if node in self.anchors:
            if node.op_type in ("Gemm", "MatMul") and not any(r in self.outputs for r in readers):
                self.hybrid.add(node)
        elif node.op_type in _ROUNDING | RESHAPING_OPS and not any(map(self._is_static, readers)):
            del self.followers[node], self.outputs[node]

    def _is_static(self, node: ir.Node) -> bool:
        """Whether a node reads integers of a scale that is known before the model runs."""
        return node in self.outputs and node not in self.hybrid

    def placement(self, graph: ir.Graph) -> Placement:
        """The plan."""
        quantized: dict[ir.Value, None] = {}
        for node in graph:
            if not self._is_static(node):
                continue
            several = node.op_type not in ANCHORS
            for value in node.inputs if several else node.inputs[:1]:
                if value is not None and is_activation(value):
                    quantized[value] = None
            quantized[self.outputs[node]] = None
        for node in self.followers:
            self._share(node)
            if node.op_type in ("Add", "Sub"):
                self._widen(node)
        return Placement(
            tuple(self.anchors), tuple(self.followers), tuple(quantized), tuple(self.refused),
            {**self.widened, **self.equal.ranges(self.ranges)}, self.fixed,
        )  # fmt: skip

    def _why_float(self, node: ir.Node) -> str | None:
        if node.op_type in _FLOAT_ONLY:
            return f"LiteRT has no static integer {node.op_type}"
        if node.op_type in CONTROL_FLOW:
            return f"what is inside {node.op_type} is not quantized"
        why = why_not_weights(node)
        if why is not None:
            return why
        weight, data = node.inputs[1], node.inputs[0]
        assert weight is not None
        assert weight.const_value is not None
        if node.op_type == "MatMul" and len(weight.const_value.shape) != 2:
            return "its weights are a batch of matrices"
        if node.op_type == "ConvTranspose" and node.attributes.get_int("group", 1) > 1:
            return "it is a grouped ConvTranspose"
        if data is None or not is_activation(data):
            return "its input is not a float32 activation"
        for value, side in ((data, "input"), (layer_output(node), "output")):
            if range_of(value, self.ranges) is None:
                return f"the range of its {side} {value.name!r} is not usable (mask or overflow)"
        return None

    def _follows(self, node: ir.Node) -> bool:
        if node.op_type not in FOLLOWERS | RESHAPING_OPS or len(node.outputs) != 1:
            return False
        if range_of(after_clamp(node.outputs[0]), self.ranges) is None:
            return False
        if node.op_type == "Resize" and node.attributes.get_string("mode", "nearest") != "linear":
            return False
        moving = node.op_type in RESHAPING_OPS or node.op_type == "Resize"
        values = node.inputs[:1] if moving else node.inputs
        return any(map(self._is_integer, values)) and all(
            self._is_integer(value) or (node.op_type in _MULTIPLIED and _is_number(value))
            for value in values
        )

    def _is_integer(self, value: ir.Value | None) -> bool:
        """Whether a value comes out of an integer node."""
        if value is None:
            return False
        return value in self.outputs.values() or any(
            value is node.outputs[0] for node in self.followers if node.op_type in RESHAPING_OPS
        )

    def _widen(self, node: ir.Node) -> None:
        """Give what is next to nothing beside a sum a range that XNNPACK's ADD still takes."""
        total = range_of(self.outputs[node], self.ranges)
        assert total is not None
        least = (total.high - total.low) * _LEAST_SHARE
        for value in node.inputs:
            own = None if value is None else range_of(value, self.ranges)
            if value is not None and own is not None and own.high - own.low < least:
                name = range_source(value).name or ""
                self.widened[name] = Range(
                    low=min(own.low, -least / 2), high=max(own.high, least / 2)
                )

    def _share(self, node: ir.Node) -> None:
        """Note what encoding a kernel wants for its output, and whose scale it must have."""
        output = range_source(self.outputs[node]).name or ""
        if node.op_type in self.rules.fixed:
            self.fixed[output] = self.rules.fixed[node.op_type]
        elif node.op_type in self.rules.equal and node.op_type not in RESHAPING_OPS:
            several = node.op_type == "Concat"
            values = node.inputs if several else node.inputs[:1]
            names = [range_source(v).name or "" for v in values if v is not None]
            self.equal.join(output, [name for name in names if name not in self.fixed])


class _Equal:
    """Tensors that must have one scale between them."""

    def __init__(self) -> None:
        self._groups: dict[str, set[str]] = {}
        self._derived: set[str] = set()

    def join(self, output: str, inputs: Sequence[str]) -> None:
        """The output of an operator that only passes on what it takes, and its inputs."""
        joint = {output, *inputs}
        for name in (output, *inputs):
            joint |= self._groups.get(name, set())
        for name in joint:
            self._groups[name] = joint
        self._derived.add(output)

    def ranges(self, ranges: Mapping[str, Range]) -> dict[str, Range]:
        """One range for each group: from the least to the greatest end of what flows into it."""
        found = {}
        for name, group in self._groups.items():
            own = [ranges[n] for n in sorted(group - self._derived) if n in ranges]
            own = own or [ranges[n] for n in sorted(group)]
            low, high = min(r.low for r in own), max(r.high for r in own)
            found[name] = Range(low=low, high=high)
        return found


def layer_output(node: ir.Node) -> ir.Value:
    """What a layer gives with its bias and its clamp: what its integer kernel gives."""
    output = node.outputs[0]
    addition = added_bias(node)
    return after_clamp(output if addition is None else addition.outputs[0])


def added_bias(node: ir.Node) -> ir.Node | None:
    """The Add of a constant vector that alone reads a MatMul; the kernel does it."""
    output = node.outputs[0]
    uses = output.uses()
    if node.op_type != "MatMul" or len(uses) != 1 or output.is_graph_output():
        return None
    ((following, index),) = uses
    other = following.inputs[1 - index] if following.op_type == "Add" else None
    if other is None or other.const_value is None or following.domain:
        return None
    return following if len(other.const_value.shape) == 1 else None


def _is_number(value: ir.Value | None) -> bool:
    return value is not None and value.const_value is not None and value.const_value.size == 1
