"""Smoothing on graphs: the float function stays, and the plan gets the ranges it needs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import NodeProto, TensorProto, helper

from edgeopt.calibration.histogram import Histogram
from edgeopt.calibration.points import is_activation
from edgeopt.calibration.ranges import RangeMethod, choose_ranges
from edgeopt.calibration.smoothing import reach
from edgeopt.calibration.table import CalibrationTable, ChannelStats, TableHeader, TensorStats
from edgeopt.converters.onnx.placement import place
from edgeopt.converters.onnx.smoothing import Smoothing, smooth
from edgeopt.converters.simplify import clean
from edgeopt.core.graph import graph_digest
from edgeopt.core.ir import ir

Save = Callable[..., Path]
Arrays = dict[str, np.ndarray]
CHANNELS = 24
FLOAT = TensorProto.FLOAT


def node(op: str, inputs: str, output: str, **attributes: object) -> NodeProto:
    return helper.make_node(op, inputs.split(), [output], f"node_{output}", **attributes)


@pytest.fixture
def constants(rng: np.random.Generator) -> Arrays:
    """Weights by name; the norm's scale makes two outlier channels."""

    def weights(*shape: int) -> np.ndarray:
        return rng.standard_normal(shape).astype(np.float32) / np.float32(np.sqrt(shape[0]))

    scale = np.ones(CHANNELS, np.float32)
    scale[[2, 9]] = 20, 45
    return {
        "scale": scale,
        "shift": rng.standard_normal(CHANNELS).astype(np.float32),
        **{name: weights(CHANNELS, CHANNELS) for name in ("q", "k", "v", "up")},
        "wide": weights(CHANNELS, 2 * CHANNELS),
        "transposed": weights(CHANNELS, CHANNELS).T.copy(),
        "bias": rng.standard_normal(CHANNELS).astype(np.float32),
        "flat": np.array([-1, CHANNELS]),
    }


class Net:
    """A saved net whose input ``x`` is ``(batch, length, channels)``, both free."""

    def __init__(self, save: Save, nodes: list[NodeProto], constants: Arrays, ends: str) -> None:
        used = {name for n in nodes for name in n.input}
        path = save(
            nodes,
            [("x", FLOAT, ["batch", "length", CHANNELS])],
            [(name, FLOAT, None) for name in ends.split()],
            {name: array for name, array in constants.items() if name in used},
        )
        self.model = onnx.shape_inference.infer_shapes(onnx.load(path))
        self.samples = [
            np.random.default_rng(i).standard_normal((1, 256, CHANNELS)).astype(np.float32)
            for i in range(4)
        ]

    def table(self) -> CalibrationTable:
        graph = ir.from_proto(self.model).graph
        values = [v for n in graph for v in n.outputs if is_activation(v)]
        names = [v.name or "" for v in values if v.shape is not None]
        runs = [dict(zip(names, run(self.model, x, names), strict=True)) for x in self.samples]
        tensors = {name: stats_of([r[name] for r in runs]) for name in names}
        tensors["x"] = stats_of(self.samples)
        header = TableHeader(graph_sha256="", samples=len(self.samples), makings=())
        return CalibrationTable(header, tensors)

    def smoothed(self, table: CalibrationTable | None = None) -> tuple[ir.Model, Smoothing]:
        model = ir.from_proto(self.model)
        done = smooth(model.graph, table or self.table())
        clean(model)
        return model, done


def stats_of(arrays: Sequence[np.ndarray]) -> TensorStats:
    flat = np.concatenate([a.reshape(-1, a.shape[-1]) for a in arrays])
    channels = ChannelStats.of(flat.mean(0, dtype=np.float64), flat.min(0), flat.max(0))
    return TensorStats(Histogram.of_values(flat), channels, len(arrays))


def run(model: onnx.ModelProto, x: np.ndarray, names: Sequence[str] | None = None) -> list:  # type: ignore[type-arg]
    tapped = onnx.ModelProto()
    tapped.CopyFrom(model)
    present = {o.name for o in tapped.graph.output}
    for name in names or ():
        if name not in present:
            tapped.graph.output.append(onnx.ValueInfoProto(name=name))
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    return ort.InferenceSession(tapped.SerializeToString(), options).run(names, {"x": x})  # type: ignore[no-any-return]


def sqnr(net: Net, edited: ir.Model, length: int = 16) -> float:
    """The worst output's, on other data than the samples, in dB."""
    x = np.random.default_rng(99).standard_normal((2, length, CHANNELS)).astype(np.float32)
    before, after = run(net.model, x), run(ir.to_proto(edited), x)
    return min(
        10 * float(np.log10(np.square(a).sum() / max(np.square(a - b).sum(), 1e-30)))
        for a, b in zip(before, after, strict=True)
    )


def ops(model: ir.Model) -> list[str]:
    return [n.op_type for n in model.graph]


def product_of(before: list[NodeProto], tensor: str) -> list[NodeProto]:
    return [*before, node("MatMul", f"{tensor} wide", "y")]


NORM = node("LayerNormalization", "x scale shift", "normed")


def test_channels_of_which_little_was_seen_are_left_alone(
    save_model: Save, constants: Arrays
) -> None:
    net = Net(save_model, product_of([NORM], "normed"), constants, "y")
    net.samples = [x[:, :200] for x in net.samples]  # 800 values of each channel
    assert not net.smoothed()[1].tensors


@pytest.mark.parametrize("length", [1, 16, 77])
def test_one_mul_serves_all_products_where_a_residual_needs_the_tensor_too(
    save_model: Save, constants: Arrays, length: int
) -> None:
    nodes = [
        NORM,
        *(node("MatMul", f"normed {name}", f"{name}_out") for name in "qkv"),
        node("Add", "normed v_out", "sum"),
    ]
    net = Net(save_model, nodes, constants, "q_out k_out sum")
    edited, done = net.smoothed()
    assert list(done.tensors) == ["normed_smoothed"]
    assert not done.tensors["normed_smoothed"].absorbed
    assert ops(edited).count("Mul") == 1
    assert sqnr(net, edited, length) > 100


@pytest.mark.parametrize(
    ("before", "tensor"),
    [
        ([NORM], "normed"),
        ([NORM, node("Reshape", "normed flat", "rows")], "rows"),
        ([node("Mul", "x scale", "m"), node("Add", "shift m", "affine")], "affine"),
        (
            [NORM, node("MatMul", "normed q", "m"), node("Add", "m shift", "n"),
             node("LeakyRelu", "n", "r")], "r",
        ),
        (
            [node("Mul", "x scale", "big"), node("Reshape", "big flat", "rows"),
             node("Gemm", "rows transposed bias", "g", transB=1)], "g",
        ),
        (
            [node("MatMul", "x q", "gate"), node("Sigmoid", "gate", "open"),
             node("MatMul", "x up", "raised"), node("Mul", "open raised", "gated")], "gated",
        ),
    ],
    ids=["norm", "reshape", "affine", "relu", "gemm", "gate"],
)  # fmt: skip
def test_what_only_products_read_is_absorbed(
    save_model: Save, constants: Arrays, before: list[NodeProto], tensor: str
) -> None:
    for name in ("up", "q"):
        constants[name][:, 4] *= 40
    constants["transposed"][4] *= 40
    net = Net(save_model, product_of(before, tensor), constants, "y")
    edited, done = net.smoothed()
    found = done.tensors[f"{tensor}_smoothed"]
    assert found.absorbed
    assert ops(edited) == [n.op_type for n in net.model.graph.node]
    assert sqnr(net, edited) > 100


@pytest.mark.parametrize(
    ("before", "tensor", "ends"),
    [
        ([NORM], "normed", "y normed"),
        ([node("Mul", "x scale", "m"), node("Gelu", "m", "g")], "g", "y"),
        ([node("Mul", "x scale", "m"), node("Add", "m m", "twice")], "twice", "y"),
        ([node("Mul", "x scale", "m"), node("Mul", "m m", "square")], "square", "y"),
        ([node("Mul", "x scale", "m"), node("Add", "m x", "sum")], "sum", "y"),
    ],
    ids=["output", "gelu", "doubled", "squared", "residual"],
)
def test_what_cant_be_absorbed_gets_a_mul(
    save_model: Save, constants: Arrays, before: list[NodeProto], tensor: str, ends: str
) -> None:
    nodes = product_of(before, tensor)
    net = Net(lambda *a: save_model(*a, opset=20), nodes, constants, ends)
    edited, done = net.smoothed()
    assert not done.tensors[f"{tensor}_smoothed"].absorbed
    assert ops(edited).count("Mul") == 1 + [n.op_type for n in nodes].count("Mul")
    assert sqnr(net, edited) > 100


def test_the_graphs_input_can_be_smoothed(save_model: Save, constants: Arrays) -> None:
    net = Net(save_model, [node("MatMul", "x wide", "y")], constants, "y")
    net.samples = [x * constants["scale"] for x in net.samples]
    edited, done = net.smoothed()
    assert list(done.tensors) == ["x_smoothed"]
    assert [i.name for i in edited.graph.inputs] == ["x"]
    assert sqnr(net, edited) > 100


def test_weights_that_another_product_reads_are_not_changed_for_it(
    save_model: Save, constants: Arrays
) -> None:
    nodes = [
        NORM,
        node("MatMul", "normed q", "one"),
        node("MatMul", "x q", "two"),
        node("MatMul", "one q", "three"),
    ]
    net = Net(save_model, nodes, constants, "one two three")
    edited, done = net.smoothed()
    assert "normed_smoothed" in done.tensors
    assert sqnr(net, edited) > 100


def test_a_net_without_outliers_stays_untouched(save_model: Save, constants: Arrays) -> None:
    constants["scale"][:] = 1
    net = Net(save_model, product_of([NORM], "normed"), constants, "y")
    untouched = ir.from_proto(net.model)
    clean(untouched)
    edited, done = net.smoothed()
    assert done == Smoothing()
    assert graph_digest(edited) == graph_digest(untouched)


def test_heads_put_together_are_left_alone(save_model: Save, constants: Arrays) -> None:
    constants["split"] = np.array([0, 0, 4, CHANNELS // 4])
    constants["merged"] = np.array([0, 0, CHANNELS])
    nodes = [
        node("Mul", "x scale", "m"),
        node("Reshape", "m split", "heads"),
        node("Reshape", "heads merged", "together"),
        node("MatMul", "together wide", "y"),
    ]
    net = Net(save_model, nodes, constants, "y")
    assert net.smoothed()[1] == Smoothing()


def test_a_tensor_whose_range_is_unusable_is_left_alone(
    save_model: Save, constants: Arrays
) -> None:
    constants["scale"][0] = 1e6
    net = Net(save_model, product_of([NORM], "normed"), constants, "y")
    assert net.smoothed()[1] == Smoothing()


def test_the_new_ranges_and_means_are_what_the_smoothed_graph_gives(
    save_model: Save, constants: Arrays
) -> None:
    nodes = [
        NORM,
        node("MatMul", "normed q", "h"),
        node("Mul", "h scale", "n"),
        node("Gelu", "n", "g"),
        node("MatMul", "g wide", "y"),
    ]
    net = Net(lambda *a: save_model(*a, opset=20), nodes, constants, "y")
    edited, done = net.smoothed()
    assert list(done.tensors) == ["normed_smoothed", "g_smoothed"]
    proto = ir.to_proto(edited)
    for name, found in done.tensors.items():
        values = np.concatenate([run(proto, x, [name])[0] for x in net.samples])
        values = values.reshape(-1, CHANNELS)
        np.testing.assert_allclose(done.means[name], values.mean(0), rtol=1e-3, atol=1e-4)
        chosen = done.ranges[name]
        np.testing.assert_allclose(chosen.low, values.min(), rtol=1e-3)
        np.testing.assert_allclose(chosen.high, values.max(), rtol=1e-3)
        assert np.ptp(np.abs(values).max(0)) < np.ptp(reach_before(found.channels, found.factors))


def reach_before(channels: ChannelStats, factors: np.ndarray) -> np.ndarray:
    return np.asarray(reach(channels) * factors)


def test_what_stays_float_is_not_smoothed(save_model: Save, constants: Arrays) -> None:
    nodes = [NORM, node("MatMul", "normed q", "float"), node("MatMul", "normed k", "integer")]
    net = Net(save_model, nodes, constants, "float integer")
    model = ir.from_proto(net.model)
    done = smooth(model.graph, net.table(), floating={"node_float"})
    assert not done.tensors["normed_smoothed"].absorbed
    assert {n.name: n.inputs[0].name for n in model.graph if n.op_type == "MatMul"} == {
        "node_float": "normed",
        "node_integer": "normed_smoothed",
    }
    assert smooth(ir.from_proto(net.model).graph, net.table(), {"node_float", "node_integer"}) == (
        Smoothing()
    )
    assert sqnr(net, model) > 100


def test_every_product_stays_planned_as_integer(save_model: Save, constants: Arrays) -> None:
    nodes = [
        NORM,
        *(node("MatMul", f"normed {name}", f"{name}_out") for name in "qk"),
        node("Add", "normed q_out", "sum"),
        node("LayerNormalization", "sum scale shift", "again"),
        node("MatMul", "again up", "last"),
    ]
    net = Net(save_model, nodes, constants, "k_out last")
    table = net.table()
    edited, done = net.smoothed(table)
    ranges = {**choose_ranges(table, RangeMethod.MIN_MAX), **done.ranges}
    plan = place(edited.graph, ranges)
    assert {n.name for n in plan.anchors} == {"node_q_out", "node_k_out", "node_last"}
    assert {v.name for v in plan.quantized} == {"normed_smoothed", "again_smoothed"}
    # A name keeps its meaning: what changed isn't found in the table any more.
    assert not {*done.tensors} & {*table.tensors}
