"""Equalization: the function stays bit for bit, and how a net was spoilt makes no difference."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

import edgeopt
from edgeopt.converters.equalization.channels import FIXED
from edgeopt.converters.equalization.commuting import map_channels
from edgeopt.converters.equalization.scaling import inexact, rescale
from edgeopt.converters.equalize import equalize
from edgeopt.converters.simplify import simplify
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


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("nets")


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


# Laws -------------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=40)
@given(net=nets, seed=st.integers(0, 1000))
def test_the_function_stays_bit_for_bit(net: Net, seed: int, folder: Path) -> None:
    path = net.save(folder / "net.onnx")
    before = outputs(path, image(seed))
    model = ir.load(path)
    spoil(model, seed)
    spoilt = outputs(model, image(seed))
    equalize(model.graph, ANY_GAIN)
    for one, two, three in zip(before, spoilt, outputs(model, image(seed)), strict=True):
        np.testing.assert_array_equal(one, two)
        np.testing.assert_array_equal(one, three)


@settings(deadline=None, max_examples=40)
@given(net=nets, seed=st.integers(0, 1000), most=st.sampled_from([1, 6, 15]))
def test_a_spoilt_net_becomes_what_the_unspoilt_one_does(
    net: Net, seed: int, most: int, folder: Path
) -> None:
    path = net.save(folder / "net.onnx")
    unspoilt, spoilt = ir.load(path), ir.load(path)
    spoil(spoilt, seed, most)
    for model in (unspoilt, spoilt):
        equalize(model.graph, ANY_GAIN)
    assert_equal(constants(spoilt), constants(unspoilt))


@settings(deadline=None, max_examples=40)
@given(net=nets)
def test_twice_is_as_good_as_once(net: Net, folder: Path) -> None:
    model = ir.load(net.save(folder / "net.onnx"))
    equalize(model.graph, ANY_GAIN)
    once = constants(model)
    assert equalize(model.graph, ANY_GAIN) == 0
    assert_equal(constants(model), once)


@settings(deadline=None, max_examples=20)
@given(blocks=st.lists(st.sampled_from(MOVES), max_size=5), seed=st.integers(0, 1000))
def test_relu6_stops_all_scales(blocks: list[str], seed: int, folder: Path) -> None:
    net = Net(np.random.default_rng(seed))
    net.block("conv")
    for kind in blocks:
        net.block(kind)
    net.clip(0, 6)
    net.add("GlobalAveragePool")
    net.add("Flatten", axis=1)
    net.gemm(8, 5, transposed=True)
    assert map_channels(ir.load(net.save(folder / "net.onnx")).graph).count == 1


# The choice -------------------------------------------------------------------------------------


def balanced_net(path: Path) -> Path:
    """Conv, Relu, MaxPool, Conv, Relu, Gemm; rows and columns of like norm, as training leaves."""
    net = Net(np.random.default_rng(3))
    net.conv(16)
    net.add("Relu")
    net.block("maxpool")
    net.conv(16)
    net.add("Relu")
    net.add("GlobalAveragePool")
    net.add("Flatten", axis=1)
    net.gemm(16, 5, transposed=True)
    return net.save(path)


def test_a_balanced_net_is_left_alone(tmp_path: Path) -> None:
    model = ir.load(balanced_net(tmp_path / "net.onnx"))
    before = constants(model)
    assert equalize(model.graph) == 0
    assert_equal(constants(model), before)


@pytest.mark.parametrize("most", [1, 4])
def test_a_spoilt_one_is_brought_back(tmp_path: Path, most: int) -> None:
    path = balanced_net(tmp_path / "net.onnx")
    spoilt, best = ir.load(path), ir.load(path)
    spoil(spoilt, 1, most)
    assert equalize(spoilt.graph) > 0
    equalize(best.graph, ANY_GAIN)
    assert_equal(constants(spoilt), constants(best))


@pytest.mark.parametrize("most", [1, 4])
def test_int8_of_a_spoilt_net_is_as_good_as_of_the_unspoilt(tmp_path: Path, most: int) -> None:
    spoilt = ir.load(balanced_net(tmp_path / "unspoilt.onnx"))
    spoil(spoilt, 1, most)
    ir.save(spoilt, tmp_path / "spoilt.onnx")
    x = np.random.default_rng(0).standard_normal((400, 3, 8, 8))
    np.savez(tmp_path / "d.npz", image=x.astype(np.float32))
    found = []
    for name in ("unspoilt", "spoilt"):
        made = edgeopt.convert(
            tmp_path / f"{name}.onnx", precision="int8", calibration=tmp_path / "d.npz",
            output=tmp_path / "out",
        )  # fmt: skip
        check = made.artifacts[0].manifest.verification
        assert check is not None
        assert check.worst.sqnr_db is not None
        found.append(check.worst.sqnr_db)
    assert found[0] > 25
    assert found[1] > found[0] - 0.5


def test_one_channel_far_too_small_is_found(tmp_path: Path) -> None:
    # Spoilt by hand, channel 3 of the first Conv.
    model = onnx.load(balanced_net(tmp_path / "net.onnx"))
    arrays = {t.name: numpy_helper.to_array(t).copy() for t in model.graph.initializer}
    arrays["c0"][3] /= 64
    arrays["c1"][3] /= 64
    arrays["c2"][:, 3] *= 64
    for tensor in model.graph.initializer:
        tensor.CopyFrom(numpy_helper.from_array(arrays[tensor.name], tensor.name))
    spoilt = ir.from_proto(model)
    assert equalize(spoilt.graph) > 0
    found = constants(spoilt)["c0"]
    norms = np.sqrt(np.square(found).sum((1, 2, 3)))
    assert norms.max() / norms.min() < 4


def test_a_channel_that_is_little_but_a_bias_keeps_its_size(tmp_path: Path) -> None:
    # A BatchNorm with a factor of nearly zero leaves such a one.
    path = balanced_net(tmp_path / "net.onnx")
    model = ir.load(path)
    weight = model.graph.initializers["c0"]
    array = constants(model)["c0"].copy()
    array[3] *= np.float32(1e-20)
    weight.const_value = ir.tensor(array, name="c0")
    before = constants(model)["c1"]
    equalize(model.graph, ANY_GAIN)
    factors = constants(model)["c1"] / before
    assert factors[3] / np.median(factors) <= 32


def test_a_channel_that_is_always_zero_comes_back_too(tmp_path: Path) -> None:
    path = balanced_net(tmp_path / "net.onnx")
    results = []
    for most in (0, 6):
        model = ir.load(path)
        for name in ("c0", "c1"):
            array = constants(model)[name].copy()
            array[3] = 0
            model.graph.initializers[name].const_value = ir.tensor(array, name=name)
        spoil(model, 5, most)
        equalize(model.graph, ANY_GAIN)
        results.append(constants(model))
    assert_equal(*results)


@pytest.mark.parametrize("size", [1e-42, 1e-30, 1e30])
def test_what_would_leave_float32_is_left_alone(tmp_path: Path, size: float) -> None:
    path = balanced_net(tmp_path / "net.onnx")
    model = ir.load(path)
    for name, value in model.graph.initializers.items():
        array = constants(model)[name] * np.float32(size)
        value.const_value = ir.tensor(array, name=name)
    before = outputs(model, image())
    equalize(model.graph, ANY_GAIN)
    for one, two in zip(before, outputs(model, image()), strict=True):
        np.testing.assert_array_equal(one, two)


def test_the_float_graph_is_equalized(tmp_path: Path) -> None:
    path = balanced_net(tmp_path / "net.onnx")
    spoilt = ir.load(path)
    spoil(spoilt, 1)
    ir.save(spoilt, tmp_path / "spoilt.onnx")
    graph = simplify(tmp_path / "spoilt.onnx", tmp_path / "float.onnx", "net")
    equalize(spoilt.graph)
    assert_equal(constants(ir.load(graph.path)), constants(spoilt))
    for one, two in zip(outputs(path, image()), outputs(graph.path, image()), strict=True):
        np.testing.assert_array_equal(one, two)


# What can be scaled -----------------------------------------------------------------------------


def free_after(net: Net, path: Path) -> int:
    """How many numbers are free in the net."""
    return map_channels(ir.load(net.save(path)).graph).count - 1


def middle(*, op: str = "", **attributes: object) -> Net:
    """Conv(8), an operator, Conv(4): as many free channels as the operator lets pass."""
    net = Net(np.random.default_rng(0))
    net.conv(8)
    if op:
        net.add(op, **attributes)
    return net


@pytest.mark.parametrize(
    ("op", "free"),
    [("", 8), ("Relu", 8), ("Neg", 0), ("HardSwish", 0), ("Sigmoid", 0), ("Softplus", 0)],
)
def test_operators_on_the_way(tmp_path: Path, op: str, free: int) -> None:
    net = middle(op=op)
    net.conv(4)
    assert free_after(net, tmp_path / "net.onnx") == free


@pytest.mark.parametrize(
    ("low", "high", "free"), [(0, np.inf, 8), (-np.inf, 0, 8), (0, 6, 0), (-1, np.inf, 0)]
)
def test_clamps(tmp_path: Path, low: float, high: float, free: int) -> None:
    net = middle()
    net.clip(low, high)
    net.conv(4)
    assert free_after(net, tmp_path / "net.onnx") == free


def test_an_output_is_fixed(tmp_path: Path) -> None:
    net = middle(op="Relu")
    assert free_after(net, tmp_path / "net.onnx") == 0


def test_weights_that_two_nodes_share_are_left_alone(tmp_path: Path) -> None:
    net = middle(op="Relu")
    weight = net.constant(8, 8, 3, 3)
    for _ in range(2):
        net.add("Conv", weight, pads=[1] * 4)
    net.conv(4)
    assert free_after(net, tmp_path / "net.onnx") == 0


def test_a_bias_that_two_nodes_share_is_left_alone(tmp_path: Path) -> None:
    net = Net(np.random.default_rng(0))
    bias = net.constant(8)
    for width in (3, 8, 8):
        net.add("Conv", net.constant(8, width, 3, 3), bias, pads=[1] * 4)
    assert free_after(net, tmp_path / "net.onnx") == 0


def test_an_add_with_the_input_is_left_alone(tmp_path: Path) -> None:
    net = Net(np.random.default_rng(0))
    net.conv(3)
    net.add("Add", "image")
    net.conv(4)
    assert free_after(net, tmp_path / "net.onnx") == 0


def test_the_sides_of_an_add_share_their_scales(tmp_path: Path) -> None:
    net = middle()
    net.residual()  # eight of its own inside
    net.conv(4)
    assert free_after(net, tmp_path / "net.onnx") == 16


def test_an_add_that_broadcasts_channels_is_left_alone(tmp_path: Path) -> None:
    net = Net(np.random.default_rng(0))
    net.conv(1)
    net.add("Add", net.constant(8, 1, 1))
    net.channels = 8
    net.conv(4)
    assert free_after(net, tmp_path / "net.onnx") == 0


@pytest.mark.parametrize(("mode", "free"), [("nearest", 8), ("linear", 8)])
def test_resizing(tmp_path: Path, mode: str, free: int) -> None:
    net = middle(op="Relu")
    scales = net.given("scales", np.array([1, 1, 2, 2], np.float32))
    net.nodes.append(helper.make_node("Resize", [net.value, "", scales], ["big"], mode=mode))
    net.value = "big"
    net.conv(4)
    path = tmp_path / "net.onnx"
    assert free_after(net, path) == free
    model = ir.load(path)
    spoil(model, 0)
    for one, two in zip(outputs(path, image()), outputs(model, image()), strict=True):
        np.testing.assert_array_equal(one, two)


def test_channels_may_change_places(tmp_path: Path) -> None:
    net = middle(op="Relu")
    net.add("Transpose", perm=[0, 2, 3, 1])
    net.add("MatMul", net.constant(8, 6))
    net.add("Add", net.constant(6))
    net.add("Relu")
    net.add("MatMul", net.constant(6, 5))
    path = tmp_path / "net.onnx"
    assert free_after(net, path) == 14
    model = ir.load(path)
    spoil(model, 0)
    for one, two in zip(outputs(path, image()), outputs(model, image()), strict=True):
        np.testing.assert_array_equal(one, two)


def test_a_body_of_control_flow_fixes_what_it_uses(tmp_path: Path) -> None:
    net = middle(op="Relu")
    inside = net.value
    body = [
        helper.make_graph(
            [helper.make_node("Neg", [inside], [f"b{i}"])], f"body{i}", [],
            [helper.make_tensor_value_info(f"b{i}", TensorProto.FLOAT, None)],
        )
        for i in range(2)
    ]  # fmt: skip
    net.conv(4)
    last = net.value
    condition = net.given("condition", np.array(True))
    net.nodes.append(
        helper.make_node("If", [condition], ["other"], then_branch=body[0], else_branch=body[1])
    )
    net.nodes.append(helper.make_node("ReduceMean", ["other"], ["mean"]))
    net.nodes.append(helper.make_node("Add", [last, "mean"], ["sum"]))
    net.value = "sum"
    assert free_after(net, tmp_path / "net.onnx") == 0
