"""Nets whose channels can be rescaled, and rescaling them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from edgeopt.converters.equalization.channels import FIXED
from edgeopt.converters.equalization.commuting import map_channels
from edgeopt.converters.equalization.scaling import inexact, rescale
from edgeopt.core.ir import ir

Arrays = dict[str, np.ndarray]
Save = Callable[..., Path]
ANY_GAIN = -np.inf
LEVELS = (ort.GraphOptimizationLevel.ORT_DISABLE_ALL, ort.GraphOptimizationLevel.ORT_ENABLE_ALL)

MOVES = ("relu", "leaky", "prelu", "maxpool", "averagepool", "shift", "factor", "identity")
BLOCKS = ("conv", "grouped", "depthwise", "residual", "concat", "transposed", *MOVES)


@dataclass
class Net:
    """A net that grows block by block; image (N, 3, 8, 8) to scores (N, 5)."""

    rng: np.random.Generator
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    constants: Arrays = field(default_factory=dict)
    value: str = "image"
    channels: int = 3
    side: int = 8

    def constant(self, *shape: int) -> str:
        name = f"c{len(self.constants)}"
        self.constants[name] = self.rng.standard_normal(shape, dtype=np.float32)
        return name

    def given(self, name: str, array: np.ndarray) -> str:
        self.constants[name] = array
        return name

    def add(self, op: str, *inputs: str, **attributes: object) -> str:
        name = f"v{len(self.nodes)}"
        node = helper.make_node(op, [self.value, *inputs], [name], name, **attributes)
        self.nodes.append(node)
        self.value = name
        return name

    def conv(self, outputs: int, group: int = 1) -> str:
        weight = self.constant(outputs, self.channels // group, 3, 3)
        bias = self.constant(outputs)
        self.channels = outputs
        return self.add("Conv", weight, bias, pads=[1] * 4, group=group)

    def transposed(self) -> None:
        weight, bias = self.constant(self.channels, 4, 3, 3), self.constant(8)
        self.channels = 8
        self.add("ConvTranspose", weight, bias, pads=[1] * 4, group=2)

    def residual(self) -> None:
        before = self.value
        self.conv(self.channels)
        self.add("Relu")
        self.conv(self.channels)
        self.add("Add", before)

    def concat(self) -> None:
        before, width = self.value, self.channels
        self.conv(4)
        self.add("Concat", before, axis=1)
        self.channels += width

    def block(self, kind: str) -> None:
        width, image = self.channels, {"strides": [1, 1], "pads": [1] * 4}
        kinds: dict[str, Callable[[], object]] = {
            "conv": lambda: self.conv(8),
            "grouped": lambda: self.conv(8, 2 - width % 2),
            "depthwise": lambda: self.conv(width, width),
            "transposed": self.transposed if width % 2 == 0 else lambda: None,
            "residual": self.residual,
            "concat": self.concat,
            "relu": lambda: self.add("Relu"),
            "leaky": lambda: self.add("LeakyRelu", alpha=0.3),
            "prelu": lambda: self.add("PRelu", self.constant(width, 1, 1)),
            "maxpool": lambda: self.add("MaxPool", kernel_shape=[3, 3], **image),
            "averagepool": lambda: self.add("AveragePool", kernel_shape=[3, 3], **image),
            "shift": lambda: self.add("Add", self.constant(width, 1, 1)),
            "factor": lambda: self.add("Mul", self.constant(1, width, 1, 1)),
            "identity": lambda: self.add("Identity"),
        }
        kinds[kind]()

    def clip(self, low: float, high: float) -> None:
        bounds = (self.given(f"bound{b}", np.array(b, np.float32)) for b in (low, high))
        self.add("Clip", *bounds)

    def gemm(self, inputs: int, outputs: int, *, transposed: bool) -> None:
        shape = (outputs, inputs) if transposed else (inputs, outputs)
        self.add("Gemm", self.constant(*shape), self.constant(outputs), transB=int(transposed))

    def head(self, kind: str) -> None:
        width = self.channels
        if kind == "pooled":
            self.add("GlobalAveragePool")
            self.add("Reshape", self.given("shape", np.array([-1, width])))
        else:
            width *= self.side**2
            self.add("Flatten", axis=1)
        self.gemm(width, 6, transposed=kind == "flat")
        self.add("Relu")
        if kind == "product":
            self.add("MatMul", self.constant(6, 5))
            self.add("Add", self.constant(5))
        else:
            self.gemm(6, 5, transposed=kind == "pooled")

    def save(self, path: Path) -> Path:
        graph = helper.make_graph(
            self.nodes,
            "net",
            [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["n", 3, 8, 8])],
            [helper.make_tensor_value_info(self.value, TensorProto.FLOAT, None)],
            [numpy_helper.from_array(a, n) for n, a in self.constants.items()],
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
        onnx.save(onnx.shape_inference.infer_shapes(model), path)
        return path


def built(blocks: Sequence[str], head: str, seed: int) -> Net:
    net = Net(np.random.default_rng(seed))
    for kind in ("conv", *blocks):
        net.block(kind)
    net.head(head)
    return net


nets = st.builds(
    built,
    st.lists(st.sampled_from(BLOCKS), max_size=8),
    st.sampled_from(["pooled", "flat", "product"]),
    st.integers(0, 2**32 - 1),
)


def spoil(model: ir.Model, seed: int, most: int = 6) -> np.ndarray:
    """Rescale all channels that can be; gives the exponents."""
    channels = map_channels(model.graph)
    exponents = np.random.default_rng(seed).integers(-most, most + 1, channels.count)
    exponents[FIXED] = 0
    assert not inexact(channels, exponents).any()
    rescale(channels, exponents)
    return exponents


def constants(model: ir.Model) -> Arrays:
    values = model.graph.initializers.items()
    return {n: v.const_value.numpy() for n, v in values if v.const_value is not None}


def outputs(model: ir.Model | Path, inputs: Mapping[str, np.ndarray]) -> list[np.ndarray]:
    """Of the model without and with all of the runtime's optimizations."""
    content = str(model) if isinstance(model, Path) else _bytes(model)
    found = []
    for level in LEVELS:
        options = ort.SessionOptions()
        options.graph_optimization_level = level
        options.intra_op_num_threads = 1
        session = ort.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        found += session.run(None, dict(inputs))
    return found


def _bytes(model: ir.Model) -> bytes:
    return bytes(ir.to_proto(model).SerializeToString())


def image(seed: int = 0) -> Arrays:
    rng = np.random.default_rng(seed)
    return {"image": rng.standard_normal((2, 3, 8, 8), dtype=np.float32)}


def assert_equal(one: Arrays, two: Arrays) -> None:
    assert one.keys() == two.keys()
    for name, array in one.items():
        np.testing.assert_array_equal(array, two[name], err_msg=name)
