"""int8 TFLite: the scales of the QDQ graph in the file, and XNNPACK giving what they say."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper

from edgeopt.calibration.observer import observe
from edgeopt.calibration.ranges import Range, RangeMethod
from edgeopt.calibration.table import Sampling
from edgeopt.converters.onnx.quantized import Quantized, quantized
from edgeopt.converters.simplify import simplify
from edgeopt.converters.tflite.compiler import compile_model
from edgeopt.converters.tflite.emulation import emulate
from edgeopt.converters.tflite.flatbuffer import to_flatbuffer
from edgeopt.converters.tflite.model import Model
from edgeopt.converters.tflite.placement import LiteRtPlacement
from edgeopt.converters.writer import Kept, WriteRequest
from edgeopt.core.effort import Effort
from edgeopt.core.ends import quantized as quantized_input
from edgeopt.core.ir import ir, passes
from edgeopt.core.precision import Format, Precision
from edgeopt.data import Sample
from edgeopt.targets import load_target

Save = Callable[..., Path]
Quantize = Callable[..., Quantized]


@pytest.fixture
def quantize(tmp_path: Path) -> Quantize:
    """Calibrates and quantizes an ONNX file by LiteRT's rules."""

    def run(path: Path, samples: list[dict[str, np.ndarray]], *kept: str) -> Quantized:
        source = tmp_path / "exported.onnx"
        source.write_bytes(path.read_bytes())
        graph = simplify(source, tmp_path / "float.onnx", path.name)
        given = [Sample(s, None, f"[{n}]") for n, s in enumerate(samples)]
        table = observe(graph, given, sampling=Sampling.EXACT)
        target = load_target("x86-64-vnni")
        request = WriteRequest(
            graph, target, tmp_path / "x.tflite", tmp_path, table=table,
            ranges=RangeMethod.MIN_MAX, effort=Effort.FAST, kept=Kept(frozenset(kept)),
        )  # fmt: skip
        rules = target.rules(Format.TFLITE)
        return quantized(request, rules, Precision.INT8, LiteRtPlacement(rules, integer_ends=True))

    return run


def images(rng: np.random.Generator, *shape: int, count: int = 12) -> list[dict[str, np.ndarray]]:
    return [{"x": rng.standard_normal((1, *shape)).astype(np.float32)} for _ in range(count)]


@pytest.fixture
def small_net(save_model: Save, rng: np.random.Generator) -> Path:
    """A stem with a padded pool, a residual of two branches, a concat, and a dense head."""
    w = {
        "w1": rng.standard_normal((8, 3, 3, 3)) * 0.3,
        "b1": rng.standard_normal(8) * 0.1,
        "w2": rng.standard_normal((8, 1, 3, 3)) * 0.4,
        "w3": rng.standard_normal((8, 8, 1, 1)) * 0.3,
        "w4": rng.standard_normal((16, 5)) * 0.3,
        "b4": rng.standard_normal(5),
    }
    nodes = [
        helper.make_node("Conv", ["x", "w1", "b1"], ["c1"], "stem", pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["c1"], ["r1"], "relu"),
        helper.make_node("MaxPool", ["r1"], ["p1"], "pool", kernel_shape=[3, 3],
                         strides=[2, 2], pads=[1, 1, 1, 1]),
        helper.make_node("Conv", ["p1", "w2"], ["c2"], "depthwise", pads=[1, 1, 1, 1], group=8),
        helper.make_node("Conv", ["c2", "w3"], ["c3"], "pointwise"),
        helper.make_node("Add", ["c3", "p1"], ["sum"], "residual"),
        helper.make_node("Concat", ["sum", "c2"], ["cat"], "concat", axis=1),
        helper.make_node("AveragePool", ["cat"], ["p2"], "mean", kernel_shape=[4, 4]),
        helper.make_node("Flatten", ["p2"], ["flat"], "flat"),
        helper.make_node("MatMul", ["flat", "w4"], ["dense"], "head"),
        helper.make_node("Add", ["dense", "b4"], ["y"], "bias"),
    ]  # fmt: skip
    return save_model(
        nodes,
        [("x", TensorProto.FLOAT, [1, 3, 8, 8])],
        [("y", TensorProto.FLOAT, [1, 5])],
        {name: array.astype(np.float32) for name, array in w.items()},
        name="small.onnx",
    )


def in_litert(litert: Callable[..., Any], model: Model, inputs: dict[str, np.ndarray]) -> Any:
    return litert(to_flatbuffer(model)).get_signature_runner()(**inputs)


def test_everything_is_integer(
    small_net: Path, rng: np.random.Generator, quantize: Quantize
) -> None:
    made = quantize(small_net, images(rng, 3, 8, 8))
    model = compile_model(made.model)
    floats = [op.code for op in model.operators if op.output.dtype == np.float32]
    assert floats == ["DEQUANTIZE"]
    assert made.float_layers == ()


def test_xnnpack_gives_what_the_scales_say(
    small_net: Path, rng: np.random.Generator, quantize: Quantize, litert: Callable[..., Any]
) -> None:
    model = compile_model(quantize(small_net, images(rng, 3, 8, 8)).model)
    for inputs in images(rng, 3, 8, 8, count=20):
        found = in_litert(litert, model, inputs)["y"]
        np.testing.assert_array_equal(found, emulate(model, inputs)["y"])


def test_every_scale_in_the_file_is_the_graphs(
    small_net: Path, rng: np.random.Generator, quantize: Quantize, litert: Callable[..., Any]
) -> None:
    made = quantize(small_net, images(rng, 3, 8, 8))
    opened = litert(to_flatbuffer(compile_model(made.model)))
    found = {
        (tuple(p["scales"].tolist()), tuple(p["zero_points"].tolist()))
        for d in opened.get_tensor_details()
        if (p := d["quantization_parameters"])["scales"].size
    }
    wanted = {(e.scale, e.zero_point) for e in made.encodings}
    assert wanted <= found
    # Beside those only the sums' scales of biases and of the mean's weights are in the file.
    activations = {(e.scale, e.zero_point) for e in made.encodings if e.dtype == "int8"}
    others = {f for f in found if f not in wanted and any(f[1])}
    assert not others, activations


def test_a_layer_kept_float_has_conversions_round_it(
    small_net: Path, rng: np.random.Generator, quantize: Quantize, litert: Callable[..., Any]
) -> None:
    samples = images(rng, 3, 8, 8)
    made = quantize(small_net, samples, "pointwise")
    model = compile_model(made.model)
    (layer,) = made.float_layers
    assert layer.node == "pointwise"
    codes = {op.node: op.output.dtype for op in model.operators if op.code == "CONV_2D"}
    assert codes["pointwise"] == np.float32
    assert codes["stem"] == np.int8
    in_litert(litert, model, samples[0])


def test_integer_ends(
    small_net: Path, rng: np.random.Generator, quantize: Quantize, litert: Callable[..., Any]
) -> None:
    samples = images(rng, 3, 8, 8)
    made = quantize(small_net, samples)
    floating = compile_model(made.model)
    image = samples[0]["x"]
    expected = in_litert(litert, floating, {"x": image})["y"]
    whole = compile_model(quantize(small_net, samples).model, integers=True)
    assert [t.dtype for t in (*whole.inputs, *whole.outputs)] == [np.int8, np.int8]
    into, out = whole.inputs[0].quantization, whole.outputs[0].quantization
    assert into is not None
    assert out is not None
    steps = np.rint(image * (np.float32(1) / np.float32(into.scale[0]))) + into.zero_point[0]
    given = np.clip(steps, -128, 127).astype(np.int8)
    found = in_litert(litert, whole, {"x": given})["y"]
    np.testing.assert_array_equal(
        (found.astype(np.float32) - out.zero_point[0]) * np.float32(out.scale[0]), expected
    )


def test_a_bias_too_large_for_its_scale_does_not_overflow(
    save_model: Save, rng: np.random.Generator, quantize: Quantize, litert: Callable[..., Any]
) -> None:
    weight = rng.standard_normal((4, 3, 1, 1)).astype(np.float32)
    weight[2] = 0  # all zero: its scale would be next to nothing
    path = save_model(
        [helper.make_node("Conv", ["x", "w", "b"], ["y"], "conv")],
        [("x", TensorProto.FLOAT, [1, 3, 4, 4])],
        [("y", TensorProto.FLOAT, [1, 4, 4, 4])],
        {"w": weight, "b": np.array([0, 1, 50, -3], np.float32)},
    )
    samples = images(rng, 3, 4, 4)
    model = compile_model(quantize(path, samples).model)
    found = in_litert(litert, model, samples[0])["y"]
    np.testing.assert_allclose(found[:, 2], 50, rtol=0.01)


def test_what_is_next_to_nothing_in_a_sum_stays_in_the_delegate(
    save_model: Save, rng: np.random.Generator, quantize: Quantize
) -> None:
    weights = {
        "w1": rng.standard_normal((4, 3, 1, 1)),
        "w2": np.zeros((4, 4, 1, 1)),  # a branch that starts as zero, as trainers like it
        "w3": rng.standard_normal((4, 4, 1, 1)),
    }
    nodes = [
        helper.make_node("Conv", ["x", "w1"], ["a"], "first"),
        helper.make_node("Conv", ["a", "w2"], ["b"], "branch"),
        helper.make_node("Add", ["a", "b"], ["sum"], "residual"),
        helper.make_node("Conv", ["sum", "w3"], ["y"], "last"),
    ]
    path = save_model(
        nodes,
        [("x", TensorProto.FLOAT, [1, 3, 4, 4])],
        [("y", TensorProto.FLOAT, [1, 4, 4, 4])],
        {name: array.astype(np.float32) for name, array in weights.items()},
    )
    model = compile_model(quantize(path, images(rng, 3, 4, 4)).model)
    (addition,) = [op for op in model.operators if op.code == "ADD"]
    (total,) = [t.quantization.scale[0] for t in addition.outputs if t.quantization]
    for tensor in addition.inputs:
        assert tensor is not None
        assert tensor.quantization is not None
        assert 2.0**-10 <= tensor.quantization.scale[0] / total < 2.0**8


def test_unsigned_activations_are_refused(small_net: Path, conv_data: Path, tmp_path: Path) -> None:
    import edgeopt
    from edgeopt.core.errors import UnsupportedError

    rng = np.random.default_rng(0)
    np.savez(tmp_path / "d.npz", x=rng.standard_normal((20, 3, 8, 8)).astype(np.float32))
    made = edgeopt.convert(
        small_net, precision="int8", calibration=tmp_path / "d.npz", output=tmp_path / "out",
        min_sqnr=-100,
    )  # fmt: skip
    with pytest.raises(UnsupportedError, match="uint8"):
        compile_model(ir.load(made.artifacts[0].path))


def test_what_a_concat_joins_has_one_scale(
    small_net: Path, rng: np.random.Generator, quantize: Quantize
) -> None:
    model = compile_model(quantize(small_net, images(rng, 3, 8, 8)).model)
    (concat,) = [op for op in model.operators if op.code == "CONCATENATION"]
    scales = {t.quantization for t in (*concat.inputs, *concat.outputs) if t is not None}
    assert len(scales) == 1
    assert [op.code for op in model.operators].count("QUANTIZE") == 1  # of the input


@pytest.mark.slow
def test_a_trained_net_gives_what_the_emulation_gives(
    example: Path, tmp_path: Path, quantize: Quantize, litert: Callable[..., Any]
) -> None:
    pytest.importorskip("torch")
    from edgeopt.pipeline.given import GivenModel
    from edgeopt.pipeline.preparation import Preparation

    graph = Preparation(GivenModel(example / "model.pt2"), tmp_path).graph
    with np.load(example / "calibration.npz") as archive:
        pictures = archive["image"].astype(np.float32)
    samples = [{"image": picture[None]} for picture in pictures[:48]]
    model = compile_model(quantize(graph.path, samples[:32]).model, integers=True)
    into = model.inputs[0].quantization
    assert into is not None
    for sample in samples[32:]:
        picture = quantized_input(sample["image"], np.int8, into.scale[0], into.zero_point[0])
        inputs = {"image": picture}
        found = in_litert(litert, model, inputs)["scores"]
        assert found.dtype == np.int8
        np.testing.assert_array_equal(found, emulate(model, inputs)["scores"])


def dense_net(save_model: Save, rng: np.random.Generator, between: str) -> Path:
    """Two matrix products with an activation between them."""
    weights = {f"w{n}": (0.3 * rng.standard_normal((16, 16))).astype(np.float32) for n in (1, 2)}
    nodes = [
        helper.make_node("Gemm", ["x", "w1"], ["a"], "first"),
        helper.make_node(between, ["a"], ["b"], "between"),
        helper.make_node("Gemm", ["b", "w2"], ["y"], "second"),
    ]
    ends = [("x", TensorProto.FLOAT, ["n", 16])], [("y", TensorProto.FLOAT, ["n", 16])]
    return save_model(nodes, *ends, weights, name="dense.onnx")


@pytest.mark.parametrize(
    ("between", "float_ends", "given"),
    [("HardSwish", True, []), ("HardSwish", False, ["a", "y"]), ("Relu", True, ["b"])],
)
def test_a_product_that_float_nodes_read_gives_floats(
    save_model: Save, rng: np.random.Generator, between: str, float_ends: bool,
    given: list[str],
) -> None:  # fmt: skip
    model = ir.load(dense_net(save_model, rng, between))
    graph = passes.ShapeInferencePass()(model).model.graph
    rules = load_target("x86-64-vnni").rules(Format.TFLITE)
    ranges = {name: Range(low=-2, high=2) for name in "xaby"}
    plan = LiteRtPlacement(rules, float_ends=float_ends)(graph, ranges, set())
    outputs = [
        v.name for v in plan.quantized if v.name != "x" and (v.name, between) != ("b", "HardSwish")
    ]
    assert outputs == given
