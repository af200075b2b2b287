"""Sums of signal and noise."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from onnx import TensorProto, helper

from edgeopt.calibration.encodings import encode_range
from edgeopt.calibration.ranges import Range
from edgeopt.core.manifest import Encoding
from edgeopt.pipeline.diagnosis.noise import (
    ONLY_NOISE,
    LayerNoise,
    Rounding,
    decibels,
    energy,
    quantized,
)
from edgeopt.pipeline.diagnosis.records import Cause
from edgeopt.targets import TensorRule

FLOATS = st.floats(-1e4, 1e4, width=32)
ARRAYS = npst.arrays(np.float32, st.integers(1, 40), elements=FLOATS)


def encoding(low: float, high: float, dtype: str = "uint8") -> Encoding:
    rule = TensorRule(dtype="uint8" if dtype == "uint8" else "int8")
    return encode_range("t", Range(low=min(low, 0.0), high=max(high, 0.0)), rule)


@given(ARRAYS, st.floats(-5e3, 0), st.floats(1e-2, 5e3))
def test_range_and_resolution_together_are_the_whole_error(
    array: np.ndarray, low: float, high: float
) -> None:
    chosen = encoding(low, high)
    found = Rounding()
    found.add_integers(array, chosen)
    error = energy(array - quantized(array, chosen))
    assert found.range + found.resolution == pytest.approx(error, rel=1e-4, abs=1e-12)
    assert 0 <= found.clipped <= found.count == array.size


@given(ARRAYS)
def test_what_lies_within_the_range_is_only_rounded(array: np.ndarray) -> None:
    chosen = encoding(float(array.min()), float(array.max()))
    found = Rounding()
    found.add_integers(array, chosen)
    assert (found.clipped, found.range) == (0, 0.0)
    assert found.resolution <= array.size * (0.51 * chosen.scale[0]) ** 2 * (1 + 1e-3)


@pytest.mark.parametrize("dtype", ["uint8", "int8"])
def test_quantized_is_what_the_runtime_makes_of_it(
    dtype: str, tmp_path: Path, rng: np.random.Generator
) -> None:
    chosen = encoding(-1.7, 2.3, dtype)
    array = rng.standard_normal(4000).astype(np.float32) * 2
    kind = TensorProto.UINT8 if dtype == "uint8" else TensorProto.INT8
    constants = [
        helper.make_tensor("s", TensorProto.FLOAT, [], chosen.scale),
        helper.make_tensor("z", kind, [], chosen.zero_point),
    ]
    nodes = [
        helper.make_node("QuantizeLinear", ["x", "s", "z"], ["q"]),
        helper.make_node("DequantizeLinear", ["q", "s", "z"], ["y"]),
    ]
    ends = [helper.make_tensor_value_info(n, TensorProto.FLOAT, ["n"]) for n in "xy"]
    graph = helper.make_graph(nodes, "pair", ends[:1], ends[1:], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.save(model, tmp_path / "pair.onnx")
    (expected,) = ort.InferenceSession(tmp_path / "pair.onnx").run(None, {"x": array})
    np.testing.assert_allclose(quantized(array, chosen), expected, rtol=1e-6)


def test_sixteen_bits_are_rounding_only() -> None:
    array = np.linspace(0, 1, 70001, dtype=np.float32)
    wide = Encoding("t", "uint16", (1 / 65535,), (0,), None, 0.0, 1.0)
    found = Rounding()
    found.add_integers(array, wide)
    assert found.clipped == 0


def test_halves_lose_what_is_beyond_them() -> None:
    found = Rounding()
    found.add_halves(np.array([1.0, 1e5, -1e6, 1.0001], np.float32))
    assert found.clipped == 2
    assert found.range == pytest.approx(1e10 + 1e12)
    assert 0 < found.resolution < 1e-6


def test_energy_survives_what_float32_does_not() -> None:
    assert energy(np.full(10, 1e30, np.float32)) == pytest.approx(1e61)
    assert energy(np.array([3.0, 4.0], np.float32)) == 25


@pytest.mark.parametrize(
    ("signal", "noise", "expected"),
    [(100.0, 1.0, 20.0), (1.0, 0.0, None), (0.0, 1.0, ONLY_NOISE), (1.0, np.nan, ONLY_NOISE)],
)
def test_decibels(signal: float, noise: float, expected: float | None) -> None:
    assert decibels(signal, noise) == expected


def test_a_layers_own_noise_names_its_largest_part() -> None:
    noise = LayerNoise.empty()
    x = np.linspace(-1, 3, 1000, dtype=np.float32)
    noise.add(x, x + 0.1, x + 0.01)
    noise.rounding.add_integers(x, encoding(-1, 1))
    own = noise.own()
    assert own.cause is Cause.RANGE
    assert own.clipped == pytest.approx(0.5, abs=0.01)
    assert own.total_db is not None
    assert own.range_db is not None
    assert own.total_db <= own.range_db
    assert (noise.low, noise.high) == (-1, 3)


def test_without_noise_there_is_no_cause() -> None:
    noise = LayerNoise.empty()
    noise.add(np.ones(3, np.float32), np.ones(3, np.float32), None)
    assert noise.ratio is None
    assert (noise.own().cause, noise.own().total_db, noise.own().share) == (None, None, None)
