"""What comes through each clamp has the float model's mean, whatever pushed it off."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper

import edgeopt
from edgeopt.converters.onnx.clamped import clamped_layers
from edgeopt.converters.onnx.drift import FEWEST, bias_shift, correct_means
from edgeopt.converters.simplify import simplify
from edgeopt.core.ir import ir
from edgeopt.core.runtime import open_session
from edgeopt.data import Sample
from edgeopt.pipeline.making import Artifact

Make = Callable[..., Artifact]
Save = Callable[..., Path]

CLAMPED = ("r0", "r1", "r2", "r3")


@pytest.fixture
def net(save_model: Save, tmp_path: Path, rng: np.random.Generator) -> Path:
    """A convolution, a depthwise one, a product with its bias in an Add, a Gemm: each clamped."""
    shapes = {"w0": (8, 3, 3, 3), "w1": (8, 1, 3, 3), "w2": (8, 12), "w3": (12, 6)}
    constants = {n: rng.standard_normal(s).astype(np.float32) / 3 for n, s in shapes.items()}
    constants |= {
        f"b{i}": rng.standard_normal(n).astype(np.float32) for i, n in enumerate((8, 8, 12, 6))
    }
    constants |= {"zero": np.array(0, np.float32), "six": np.array(6, np.float32)}
    x = rng.standard_normal((64, 3, 12, 12)).astype(np.float32)
    x[40] *= 20  # 8 bits for its sake are coarse for all the others
    np.savez(tmp_path / "d.npz", x=x)
    nodes = [
        helper.make_node("Conv", ["x", "w0", "b0"], ["c0"], "conv", pads=[1, 1, 1, 1]),
        helper.make_node("Clip", ["c0", "zero", "six"], ["r0"], "clip0"),
        helper.make_node("Conv", ["r0", "w1", "b1"], ["c1"], "depthwise", group=8),
        helper.make_node("Relu", ["c1"], ["r1"], "relu1"),
        helper.make_node("GlobalAveragePool", ["r1"], ["p"], "pool"),
        helper.make_node("Flatten", ["p"], ["f"], "flat"),
        helper.make_node("MatMul", ["f", "w2"], ["m"], "product"),
        helper.make_node("Add", ["m", "b2"], ["c2"], "bias"),
        helper.make_node("Clip", ["c2", "zero", "six"], ["r2"], "clip2"),
        helper.make_node("Gemm", ["r2", "w3", "b3"], ["c3"], "gemm"),
        helper.make_node("Relu", ["c3"], ["r3"], "relu3"),
    ]
    return save_model(
        nodes,
        [("x", TensorProto.FLOAT, ["n", 3, 12, 12])],
        [(name, TensorProto.FLOAT, None) for name in CLAMPED],
        constants,
    )


@pytest.fixture
def images(net: Path) -> np.ndarray:
    return np.delete(np.load(net.with_name("d.npz"))["x"], 40, axis=0)


@pytest.fixture
def uncorrected(net: Path, tmp_path: Path) -> Path:
    """int8 made from a table alone: no samples to see what comes through the clamps."""
    data = net.with_name("d.npz")
    table = edgeopt.calibrate(net, data, output=tmp_path / "t.npz", exact=True).path
    made = edgeopt.convert(
        net, precision="int8", table=table, ranges="min-max", target="x86-64",
        output=tmp_path / "o", verify=False,
    )  # fmt: skip
    return Path(made.artifacts[0].path)


def samples(images: np.ndarray) -> list[Sample]:
    return [Sample({"x": image[None]}, None, f"d[{i}]") for i, image in enumerate(images)]


def means(model: Path, images: np.ndarray) -> dict[str, np.ndarray]:
    """Of each clamped output's channels."""
    session = open_session(model, emulated=True)
    found = session.run(list(CLAMPED), {"x": images})
    return {
        name: y.mean(axis=tuple(a for a in range(y.ndim) if a != 1))
        for name, y in zip(CLAMPED, found, strict=True)
    }


def rms(values: np.ndarray) -> float:
    return float(np.sqrt(np.square(values).mean()))


def corrected(net: Path, quantized: Path, seen: list[Sample], tmp_path: Path) -> tuple[int, Path]:
    model = ir.load(quantized)
    floats = simplify(net, tmp_path / "float.onnx", "net").path
    count = correct_means(floats, model, seen, scratch=tmp_path)
    ir.save(model, tmp_path / "corrected.onnx")
    return count, tmp_path / "corrected.onnx"


def test_biases_that_are_off_come_back(
    net: Path, uncorrected: Path, images: np.ndarray, tmp_path: Path, rng: np.random.Generator
) -> None:
    wanted = means(net, images)
    model = ir.load(uncorrected)
    floats = ir.load(simplify(net, tmp_path / "float.onnx", "net").path)
    layers = clamped_layers(floats.graph, model.graph)
    assert [layer.node.name for layer in layers] == ["conv", "depthwise", "product", "gemm"]
    for layer in layers:
        layer.bias.move(rng.uniform(-0.5, 0.5, layer.channels))
    ir.save(model, tmp_path / "spoilt.onnx")
    count, path = corrected(net, tmp_path / "spoilt.onnx", samples(images[:32]), tmp_path)
    assert count == 4
    before, after, held_out = (
        means(tmp_path / "spoilt.onnx", images),
        means(path, images[:32]),
        means(path, images[32:]),
    )
    for name in CLAMPED:
        off = rms(before[name] - wanted[name])
        assert off > 0.1
        assert rms(after[name] - means(net, images[:32])[name]) < 0.3 * off
        assert rms(held_out[name] - means(net, images[32:])[name]) < 0.4 * off


def test_a_conversion_with_data_does_it(
    net: Path, uncorrected: Path, images: np.ndarray, make: Make
) -> None:
    artifact = make(
        net, calibration=net.with_name("d.npz"), target="x86-64", ranges="min-max", verify=False
    )
    wanted, without, found = (means(p, images) for p in (net, uncorrected, Path(artifact.path)))

    def drift(some: dict[str, np.ndarray]) -> float:
        return float(sum(np.square(some[n] - wanted[n]).sum() for n in CLAMPED))

    assert drift(found) < 0.5 * drift(without)


def test_few_samples_say_nothing(
    net: Path, uncorrected: Path, images: np.ndarray, tmp_path: Path
) -> None:
    count, path = corrected(net, uncorrected, samples(images[: FEWEST - 1]), tmp_path)
    assert count == 0
    after, before = (onnx.load(p).graph.initializer for p in (path, uncorrected))
    assert [(t.name, t.raw_data) for t in after] == [(t.name, t.raw_data) for t in before]


outputs = st.lists(st.floats(-10, 10, width=32), min_size=4, max_size=40)


@given(outputs, st.floats(-8, 8), st.sampled_from([(0.0, 6.0), (0.0, np.inf), (-3.0, 2.0)]))
def test_a_shift_never_takes_the_mean_further_off(
    values: list[float], wanted: float, clamp: tuple[float, float]
) -> None:
    low, high = clamp
    y = np.array([values], np.float32)
    goal = float(np.clip(wanted, low, high))
    (shift,) = bias_shift([y, y], np.full((2, 1), goal), low, high)
    before = abs(float(np.clip(y, low, high).mean(dtype=np.float64)) - goal)
    after = abs(float(np.clip(y + np.float32(shift), low, high).mean(dtype=np.float64)) - goal)
    assert after <= before + 1e-5


def test_without_a_clamp_it_is_the_difference(rng: np.random.Generator) -> None:
    found = [rng.standard_normal((5, 30)).astype(np.float32) for _ in range(8)]
    drift = rng.standard_normal(5)
    wanted = np.array([y.mean(1, dtype=np.float64) + drift for y in found])
    shift = bias_shift(found, wanted, -np.inf, np.inf)
    np.testing.assert_allclose(shift, drift, rtol=0.02)


def test_what_samples_do_not_agree_on_is_left_alone(rng: np.random.Generator) -> None:
    found = [np.zeros((200, 30), np.float32)] * 16
    wanted = rng.standard_normal((16, 200))  # no drift but by chance
    chance = np.square(wanted.mean(0)).mean()
    assert np.square(bias_shift(found, wanted, -np.inf, np.inf)).mean() < 0.4 * chance


def test_a_channel_that_is_always_clamped_stays() -> None:
    found = [np.full((1, 20), -100, np.float32)] * 4
    assert bias_shift(found, np.zeros((4, 1)), 0.0, 6.0).tolist() == [0]


def test_what_padding_tokens_hold_moves_no_bias(
    save_model: Save, make: Make, tmp_path: Path, rng: np.random.Generator
) -> None:
    nodes = [
        helper.make_node("MatMul", ["tokens", "w"], ["m"], "product"),
        helper.make_node("Add", ["m", "b"], ["a"], "bias"),
        helper.make_node("Relu", ["a"], ["hidden"], "relu"),
        helper.make_node("MatMul", ["hidden", "v"], ["last"], "next"),
        helper.make_node("Unsqueeze", ["attention_mask", "end"], ["wide"], "wide"),
        helper.make_node("Cast", ["wide"], ["real"], "cast", to=TensorProto.FLOAT),
        helper.make_node("Mul", ["last", "real"], ["y"], "mask"),
    ]
    net = save_model(
        nodes,
        [
            ("tokens", TensorProto.FLOAT, ["batch", 16, 4]),
            ("attention_mask", TensorProto.INT64, ["batch", 16]),
        ],
        [("y", TensorProto.FLOAT, ["batch", 16, 3])],
        {
            "w": rng.standard_normal((4, 8)).astype(np.float32),
            "b": rng.standard_normal(8).astype(np.float32),
            "v": rng.standard_normal((8, 3)).astype(np.float32),
            "end": np.array([-1]),
        },
    )
    tokens = rng.standard_normal((32, 16, 4)).astype(np.float32)
    mask = (np.arange(16) < rng.integers(2, 16, (32, 1))).astype(np.int64)
    np.savez(tmp_path / "d.npz", tokens=tokens, attention_mask=mask)
    full = make(net, calibration=tmp_path / "d.npz", verify=False)
    tokens[mask == 0] = 0.5  # another mean
    np.savez(tmp_path / "d.npz", tokens=tokens, attention_mask=mask)
    assert make(net, calibration=tmp_path / "d.npz", verify=False).manifest.sha256 == (
        full.manifest.sha256
    )
