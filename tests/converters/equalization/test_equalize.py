"""Equalization: the function stays bit for bit, and how a net was spoilt makes no difference."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import numpy_helper

import edgeopt
from edgeopt.converters.equalization.commuting import map_channels
from edgeopt.converters.equalize import equalize
from edgeopt.converters.simplify import simplify
from edgeopt.core.ir import ir
from tests.converters.equalization.nets import (
    ANY_GAIN,
    MOVES,
    Net,
    assert_equal,
    constants,
    image,
    nets,
    outputs,
    spoil,
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("nets")


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
