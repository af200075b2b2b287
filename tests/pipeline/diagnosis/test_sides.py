"""Float graph and artifact side by side."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from onnx import NodeProto, TensorProto, helper

import edgeopt
from edgeopt.core.manifest import Manifest, read_manifest
from edgeopt.core.progress import silent
from edgeopt.data import open_dataset
from edgeopt.pipeline.diagnosis.sides import Sums, prepare, run_sides

Save = Callable[..., Path]


def compare(float_path: Path, artifact: Path, data: Path, scratch: Path) -> Sums:
    manifest = read_manifest(artifact)
    assert manifest is not None
    sides = prepare(float_path, artifact, scratch)
    samples = open_dataset(data, manifest.inputs).samples(0, 8)
    return run_sides(sides, artifact, manifest, samples, total=8, progress=silent)


def described(path: Path) -> Manifest:
    manifest = read_manifest(path)
    assert manifest is not None
    return manifest


@pytest.fixture
def rows(tmp_path: Path, rng: np.random.Generator) -> Path:
    """Samples whose channel 2 is 50 times as large as the others."""
    x = rng.standard_normal((40, 4, 6)).astype(np.float32)
    x[..., 2] *= 50
    np.savez(tmp_path / "rows.npz", x=x)
    return tmp_path / "rows.npz"


def product(save: Save, name: str, before: list[NodeProto], data: str, **constants: object) -> Path:
    nodes = [*before, helper.make_node("MatMul", [data, "w"], ["y"], "product")]
    ends = [("x", TensorProto.FLOAT, ["n", 4, 6])], [("y", TensorProto.FLOAT, ["n", 4, 5])]
    return save(nodes, *ends, constants, name=name)


def test_channels_that_were_scaled_before_a_layer_are_followed(
    save_model: Save, rows: Path, tmp_path: Path, rng: np.random.Generator
) -> None:
    w = rng.standard_normal((6, 5), dtype=np.float32)
    s = np.array([1, 1, 1 / 50, 1, 1, 1], np.float32)
    halved = helper.make_node("Mul", ["x", "half"], ["x2"], "halve")
    smoothing = helper.make_node("Mul", ["x2", "s"], ["x2_smoothed"], "smooth")
    half = np.float32(0.5)
    plain = product(save_model, "plain.onnx", [halved], "x2", w=w, half=half)
    other = product(
        save_model, "other.onnx", [halved, smoothing], "x2_smoothed",
        w=w / s[:, None], half=half, s=s,
    )  # fmt: skip
    made = {
        path.stem: Path(
            edgeopt.convert(
                path, precision="fp32,int8", calibration=rows, output=tmp_path / "out", min_sqnr=-50
            )
            .artifacts[-1]
            .path
        )
        for path in (plain, other)
    }
    sums = compare(tmp_path / "out" / "plain.fp32.onnx", made["other"], rows, tmp_path)
    assert list(sums.layers) == ["x2_smoothed", "y"]
    smoothed, y = sums.layers["x2_smoothed"], sums.layers["y"]
    assert smoothed.ratio == pytest.approx(smoothed.own().total_db, abs=0.01)
    own = y.own()
    assert own.weights_db is not None
    assert own.weights_db > 35  # the scaled weights fed with the scaled channels
    assert smoothed.ratio is not None
    assert smoothed.ratio > 30


def test_points_are_linked_through_what_is_quantized(
    artifact: Path, conv_data: Path, tmp_path: Path
) -> None:
    sides = prepare(artifact.with_name("conv_net.fp32.onnx"), artifact, tmp_path)
    before = {p.tensor: set(p.before) for p in sides.points}
    assert before["c2"] == {"r1"}
    assert before["sum"] == {"c2", "r1"}
    assert set(sides.alone_names) == {"r1", "c2", "scores"}


def test_sums_do_not_depend_on_the_order_of_samples(
    artifact: Path, conv_data: Path, tmp_path: Path
) -> None:
    float_path = artifact.with_name("conv_net.fp32.onnx")
    sides = prepare(float_path, artifact, tmp_path)
    samples = list(open_dataset(conv_data, described(artifact).inputs).samples(0, 6))
    found = [
        run_sides(sides, artifact, described(artifact), order, total=6, progress=silent)
        for order in (samples, samples[::-1])
    ]
    for tensor, noise in found[0].layers.items():
        other = found[1].layers[tensor]
        assert noise.ratio == pytest.approx(other.ratio, abs=1e-4)
        assert noise.rounding.clipped == other.rounding.clipped
        assert (noise.low, noise.high) == (other.low, other.high)
