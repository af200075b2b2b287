"""A diagnosis as a whole: what it finds in nets whose faults are known."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

import edgeopt
from edgeopt.core.errors import EdgeOptError, ModelError, UnsupportedError, UsageError
from edgeopt.core.record import from_json, to_json
from edgeopt.pipeline.diagnose import diagnose
from edgeopt.pipeline.diagnosis.records import Cause, DiagnosisResult, LayerDiagnosis

Save = Callable[..., Path]


def made(model: Path, data: Path, folder: Path, **options: Any) -> Path:
    options = {"precision": "fp32,int8", "calibration": data, "min_sqnr": -50, **options}
    return Path(edgeopt.convert(model, output=folder, **options).artifacts[-1].path)


def by_name(result: DiagnosisResult) -> dict[str, LayerDiagnosis]:
    return {layer.tensor: layer for layer in result.layers}


def rules(result: DiagnosisResult) -> list[str]:
    """The rules that apply, but for the one that depends on the machine."""
    found = [step.rule for step in (result.suggestion, *result.further)]
    return [rule for rule in found if rule != "saturation"]


def replace(model: Path, name: str, change: Callable[[np.ndarray], np.ndarray]) -> None:
    net = onnx.load(model)
    (tensor,) = [t for t in net.graph.initializer if t.name == name]
    changed = change(numpy_helper.to_array(tensor).copy()).astype(np.float32)
    tensor.CopyFrom(numpy_helper.from_array(changed, name))
    onnx.save(net, model)


def test_a_good_artifact(artifact: Path) -> None:
    result = diagnose(artifact)
    found = by_name(result)
    assert [x.node for x in result.layers] == [
        "input", "conv1", "depthwise", "residual", "mean", "head"
    ]  # fmt: skip
    assert result.data_from == "verification"
    assert result.threshold_db == 20
    assert result.first_below is None
    assert rules(result)[0] == "nothing-to-do"
    assert from_json(to_json(result), DiagnosisResult, where="it") == result
    assert found["r1"].op == "Conv+Clip"
    assert found["r1"].range is not None
    assert found["r1"].range.low == 0
    assert all(w.per_channel for w in result.weights)
    assert [w.node for w in result.weights] == ["conv1", "depthwise", "head"]
    assert result.timing.artifact_ms > 0
    assert result.calibrated == 36


def test_layers_tell_what_comes_in_and_what_they_add(artifact: Path) -> None:
    found = by_name(diagnose(artifact))
    image, first = found["image"], found["r1"]
    assert image.input_sqnr_db is None
    assert image.sqnr_db == image.own.total_db == image.own.resolution_db  # nothing else is there
    assert image.own.share == pytest.approx(1)
    assert first.input_sqnr_db == image.sqnr_db
    assert first.sqnr_db is not None
    assert first.own.total_db is not None
    assert first.own.total_db > first.sqnr_db
    assert first.own.weights_db is not None
    assert found["sum"].own.weights_db is None
    assert found["sum"].input_sqnr_db == min(
        x for x in (found["c2"].sqnr_db, found["r1"].sqnr_db) if x is not None
    )


def test_outputs_agree_with_the_verification(
    conv_net: Path, conv_data: Path, tmp_path: Path
) -> None:
    # 7-bit weights don't saturate: what this machine's kernels give is the exact sums, too.
    made_ = made(conv_net, conv_data, tmp_path / "out", target="x86-64", evaluation=conv_data)
    result = diagnose(made_, samples=100)
    manifest = edgeopt.inspect(made_).manifest
    assert manifest is not None
    assert manifest.verification is not None
    (output,) = result.outputs
    assert output.exact.sqnr_db == pytest.approx(manifest.verification.worst.sqnr_db, abs=0.5)
    assert output.kernels is not None
    assert output.kernels.sqnr_db == pytest.approx(output.exact.sqnr_db, abs=0.5)
    assert by_name(result)["scores"].sqnr_db == pytest.approx(output.exact.sqnr_db, abs=0.01)


def test_the_same_samples_give_the_same_diagnosis(artifact: Path) -> None:
    one, other = diagnose(artifact, samples=3), diagnose(artifact, samples=3)
    assert (one.layers, one.weights, one.trials) == (other.layers, other.weights, other.trials)


def test_weights_that_share_a_scale_are_named(
    conv_net: Path, conv_data: Path, tmp_path: Path, shared_target: str
) -> None:
    def spoil(weight: np.ndarray) -> np.ndarray:
        weight[3] = 0
        weight[3, 0, 1, 1] = 500  # saturates in ReLU6, and takes the scale of all others
        return weight

    replace(conv_net, "w1", spoil)
    bad = made(conv_net, conv_data, tmp_path / "bad", target=shared_target)
    result = diagnose(bad, evaluation=conv_data, min_sqnr=35)
    assert rules(result)[0] == "shared-weight-scale"
    assert by_name(result)["r1"].own.cause is Cause.WEIGHTS
    assert result.first_below == result.noisiest == result.largest_drop == "r1"
    good = diagnose(made(conv_net, conv_data, tmp_path / "good"), evaluation=conv_data)
    assert (good.worst_db or 99) > (result.worst_db or 99) + 10


def test_boxes_beside_scores_are_named(
    save_model: Save, conv_data: Path, tmp_path: Path, rng: np.random.Generator
) -> None:
    head = 0.1 * rng.standard_normal((7, 8, 1, 1), dtype=np.float32)
    head[:4] *= 400
    model = save_model(
        [
            helper.make_node("Conv", ["image", "w1"], ["c1"], "body", pads=[1, 1, 1, 1]),
            helper.make_node("Relu", ["c1"], ["r1"], "relu"),
            helper.make_node("Conv", ["r1", "w2", "b2"], ["both"], "head"),
            helper.make_node("Reshape", ["both", "shape"], ["detections"], "reshape"),
        ],
        [("image", TensorProto.FLOAT, ["batch", 3, 8, 8])],
        [("detections", TensorProto.FLOAT, ["batch", 7, 64])],
        {
            "w1": 0.2 * rng.standard_normal((8, 3, 3, 3), dtype=np.float32),
            "w2": head,
            "b2": np.array([320] * 4 + [0.5] * 3, np.float32),
            "shape": np.array([0, 7, 64], np.int64),
        },
        name="detector.onnx",
    )
    result = diagnose(made(model, conv_data, tmp_path / "out"))
    assert result.worst_db is not None
    assert result.worst_db > 20  # the boxes are nearly all of the power
    (unlike,) = result.unlike_scales
    assert (unlike.node, unlike.outputs, unlike.axis) == ("head", ("detections",), 1)
    assert (unlike.large.columns, unlike.small.columns) == (((0, 4),), ((4, 7),))
    assert unlike.small.sqnr_db is not None
    assert unlike.small.sqnr_db < 10
    assert result.suggestion.rule == "unlike-scales"


def test_ranges_that_are_too_narrow_are_named(
    conv_net: Path, conv_data: Path, tmp_path: Path
) -> None:
    wide = tmp_path / "wide.npz"
    with np.load(conv_data) as data:
        np.savez(wide, image=20 * data["image"])
    result = diagnose(made(conv_net, conv_data, tmp_path / "out"), evaluation=wide)
    image = by_name(result)["image"]
    assert image.own.cause is Cause.RANGE
    assert image.own.clipped > 0.3
    assert image.range is not None
    assert image.range.seen_high > image.range.high
    assert "clipping" in rules(result)
    clipped = next(d for d in result.distributions if d.tensor == "image")
    assert sum(clipped.counts) == 8 * 3 * 8 * 8
    assert clipped.edges[-1] > clipped.high


def test_few_samples_and_random_data_are_named(
    conv_net: Path, conv_data: Path, tmp_path: Path
) -> None:
    few = tmp_path / "few.npz"
    np.savez(few, image=np.full((3, 3, 8, 8), 1e-3, np.float32))
    bad = made(conv_net, few, tmp_path / "out", evaluation=conv_data)
    result = diagnose(bad, evaluation=conv_data, min_sqnr=60)
    assert result.calibrated == 3
    assert rules(result)[0] == "few-samples"
    few.unlink()
    conv_data.unlink()
    assert rules(diagnose(bad))[0] == "real-data"


def test_half_precision(conv_net: Path, tmp_path: Path) -> None:
    half = Path(edgeopt.convert(conv_net, precision="fp16", output=tmp_path).artifacts[0].path)
    result = diagnose(half, samples=4)
    assert (result.threshold_db, result.ceiling_db) == (40, 80)
    assert result.outputs[0].kernels is None
    assert result.trials == ()
    assert result.weights == ()
    first = by_name(result)["r1"]
    assert first.range is None
    assert first.own.weights_db is not None
    assert first.own.resolution_db is not None


def test_a_threshold_of_ones_own(artifact: Path) -> None:
    result = diagnose(artifact, min_sqnr=200, samples=2)
    assert result.first_below == "image"
    assert rules(result)[0] != "nothing-to-do"


def test_a_model_without_a_batch_axis_to_vary(
    save_model: Save, tmp_path: Path, rng: np.random.Generator
) -> None:
    model = save_model(
        [helper.make_node("MatMul", ["x", "w"], ["y"], "product")],
        [("x", TensorProto.FLOAT, [4, 6])],
        [("y", TensorProto.FLOAT, [4, 5])],
        {"w": rng.standard_normal((6, 5), dtype=np.float32)},
    )
    data = tmp_path / "rows.npz"
    np.savez(data, x=rng.standard_normal((30, 6)).astype(np.float32))
    result = diagnose(made(model, data, tmp_path / "out"))
    assert [x.node for x in result.layers] == ["input", "product"]


def test_steps_are_reported(artifact: Path) -> None:
    told: list[tuple[str, int, int | None]] = []
    diagnose(artifact, samples=3, progress=lambda *step: told.append(step))
    assert ("comparing layers", 3, 3) in told
    assert told[0][0] == "making the float graph"
    assert told[-1][0] == "timing operators"


# Bad input -----------------------------------------------------------------------------------


def test_not_an_artifact_of_ours(conv_net: Path) -> None:
    with pytest.raises(ModelError, match="has no manifest beside it") as error:
        diagnose(conv_net)
    assert error.value.exit_code == 2
    assert "edgeopt convert" in error.value.hint


def test_an_artifact_that_was_changed(artifact: Path) -> None:
    net = onnx.load(artifact)
    net.doc_string = "changed"
    onnx.save(net, artifact)
    with pytest.raises(ModelError, match="was changed since its manifest was written"):
        diagnose(artifact)


def test_a_float_artifact(artifact: Path) -> None:
    with pytest.raises(UsageError, match="is the float graph itself"):
        diagnose(artifact.with_name("conv_net.fp32.onnx"))


@pytest.mark.parametrize("name", ["missing.onnx", "cut.onnx", "model.txt"])
def test_not_a_model(artifact: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / "cut.onnx").write_bytes(artifact.read_bytes()[:500])
    (tmp_path / "model.txt").write_text("no model", encoding="utf-8")
    with pytest.raises((ModelError, UnsupportedError), match=name):
        diagnose(tmp_path / name)


def test_samples_must_be_some(artifact: Path) -> None:
    with pytest.raises(UsageError, match="--samples 0"):
        diagnose(artifact, samples=0)


def test_a_sample_that_does_not_fit_leaves_nothing_behind(
    artifact: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    np.savez(tmp_path / "wrong.npz", image=np.ones((4, 3, 9, 9), np.float32))
    with pytest.raises(EdgeOptError, match="shape"):
        diagnose(artifact, evaluation=tmp_path / "wrong.npz")
    assert list(scratch.iterdir()) == []


def test_a_tflite_file_is_refused(tflite_net: Path) -> None:
    told = r"conv_net\.tflite: only \.onnx files can be diagnosed"
    with pytest.raises(UnsupportedError, match=told):
        edgeopt.diagnose(tflite_net)
