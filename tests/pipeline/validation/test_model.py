"""The smoke test: artifacts that are as they should be, and those that aren't."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from onnxruntime import InferenceSession

import edgeopt
from edgeopt.core.errors import (
    DataError,
    GateError,
    MeasurementError,
    ModelError,
    UnsupportedError,
    UsageError,
)
from edgeopt.pipeline.validation.records import Finding, Level, ModelValidation
from edgeopt.pipeline.validation.verdict import check_validation

Save = Callable[..., Path]
FLOAT = TensorProto.FLOAT


@pytest.fixture
def artifacts(conv_net: Path, conv_data: Path, tmp_path: Path) -> dict[str, Path]:
    """``conv_net`` as fp32 and int8, ONNX and TFLite."""
    made = edgeopt.convert(
        conv_net, to=["onnx", "tflite"], precision="fp32,int8", calibration=conv_data,
        output=tmp_path / "out",
    )  # fmt: skip
    paths = [Path(a.path) for a in made.artifacts]
    return {path.name.removeprefix("conv_net."): path for path in paths}


@pytest.fixture
def other_net(conv_net: Path, tmp_path: Path) -> Path:
    """``conv_net`` with its last weights negated."""
    model = onnx.load(conv_net)
    (weights,) = [w for w in model.graph.initializer if w.name == "w3"]
    weights.raw_data = (-np.frombuffer(weights.raw_data, np.float32)).tobytes()
    onnx.save(model, tmp_path / "other.onnx")
    return tmp_path / "other.onnx"


def finding(found: ModelValidation, title: str) -> Finding:
    (one,) = [each for each in found.findings if each.title == title]
    return one


def titles(found: ModelValidation, *levels: Level) -> list[str]:
    return [each.title for each in found.findings if each.level in levels]


def net(save_model: Save, *nodes: onnx.NodeProto, **constants: np.ndarray) -> Path:
    """A model of ``x`` (N, 4) that gives ``y``."""
    ends = [("x", FLOAT, ["n", 4])], [("y", FLOAT, ["n", 4])]
    return save_model(list(nodes), *ends, constants)


@pytest.mark.parametrize("which", ["fp32.onnx", "int8.onnx", "fp32.tflite", "int8.tflite"])
def test_what_was_made_here_passes(artifacts: dict[str, Path], which: str) -> None:
    found = edgeopt.validate_model(artifacts[which])
    assert found.level is Level.PASS
    assert titles(found, Level.PASS) == [
        "manifest", "runs", "deterministic", "finite (scores)", "batch", "recorded (scores)",
    ]  # fmt: skip
    assert "3 samples a call: scores[3,5]" in finding(found, "batch").found
    assert found.runtime is not None
    assert found.runtime.name == {"onnx": "onnxruntime", "tflite": "litert"}[which[5:]]
    assert sum(found.operators.values()) > 3
    check_validation(found)


@pytest.mark.parametrize("which", ["int8.onnx", "int8.tflite"])
def test_beside_its_source_on_data(
    artifacts: dict[str, Path], conv_net: Path, conv_data: Path, which: str
) -> None:
    found = edgeopt.validate_model(artifacts[which], reference=conv_net, evaluation=conv_data)
    one = finding(found, "reference (scores)")
    assert one.level is Level.PASS
    assert one.figures["sqnr_db"] > 20
    assert titles(found, Level.SKIPPED, Level.WARN, Level.FAIL) == []
    high = edgeopt.validate_model(
        artifacts[which],
        reference=conv_net,
        evaluation=conv_data,
        min_sqnr=one.figures["sqnr_db"] + 1,
    )
    assert titles(high, Level.FAIL) == ["reference (scores)"]
    with pytest.raises(GateError, match=r"reference \(scores\): it is too far.*change the limit$"):
        check_validation(high)


def test_agreement_has_a_floor(artifacts: dict[str, Path], conv_net: Path, conv_data: Path) -> None:
    def level(least: str) -> Level:
        return finding(
            edgeopt.validate_model(
                artifacts["int8.onnx"], reference=conv_net, evaluation=conv_data, min_sqnr=0,
                min_agreement=least,
            ),
            "reference (scores)",
        ).level  # fmt: skip

    assert (level("50%"), level("100%")) in {(Level.PASS, Level.PASS), (Level.PASS, Level.FAIL)}


def test_another_model_is_not_its_reference(
    artifacts: dict[str, Path], other_net: Path, conv_data: Path
) -> None:
    fp32 = artifacts["fp32.onnx"]
    found = edgeopt.validate_model(fp32, reference=other_net, evaluation=conv_data)
    assert finding(found, "reference (scores)").level is Level.FAIL
    random = edgeopt.validate_model(fp32, reference=other_net)
    # Random inputs exercise a model, they don't represent it: nothing was asked, so it's a warning.
    assert finding(random, "reference (scores)").level is Level.WARN


def test_accuracy_has_a_floor(conv_net: Path, tmp_path: Path, rng: np.random.Generator) -> None:
    images = rng.standard_normal((40, 3, 8, 8)).astype(np.float32)
    session = InferenceSession(conv_net, providers=["CPUExecutionProvider"])
    labels = session.run(["scores"], {"image": images})[0].argmax(1)
    labels[:4] = (labels[:4] + 1) % 5
    data = tmp_path / "labelled.npz"
    np.savez(data, image=images, labels=labels)
    found = edgeopt.validate_model(conv_net, evaluation=data, min_accuracy="90%")
    assert finding(found, "accuracy").figures == {"top1": 0.9}
    assert titles(found, Level.FAIL) == []
    failed = edgeopt.validate_model(conv_net, evaluation=data, min_accuracy=0.91)
    assert titles(failed, Level.FAIL) == ["accuracy"]
    np.savez(data, image=images, labels=labels + 1)
    with pytest.raises(DataError, match="its label is 5, but the model has classes 0 to 4"):
        edgeopt.validate_model(conv_net, evaluation=data)


@pytest.mark.parametrize("which", ["int8.onnx", "int8.tflite"])
def test_an_altered_artifact_is_not_the_one_that_was_made(
    artifacts: dict[str, Path], which: str
) -> None:
    path = artifacts[which]
    path.write_bytes(path.read_bytes() + b"\0" * 16)
    found = edgeopt.validate_model(path)
    one = finding(found, "manifest")
    assert one.level is Level.FAIL
    assert "describes another file" in one.why
    assert found.level is Level.FAIL


@pytest.mark.parametrize("which", ["int8.onnx", "int8.tflite"])
def test_a_truncated_artifact_does_not_load(artifacts: dict[str, Path], which: str) -> None:
    path = artifacts[which]
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 3])
    found = edgeopt.validate_model(path)
    assert found.level is Level.FAIL
    assert set(titles(found, Level.FAIL)) & {"loads", "runs"}
    assert "\n" not in found.findings[-1].why


def test_a_file_of_another_maker_has_no_manifest(conv_net: Path) -> None:
    found = edgeopt.validate_model(conv_net)
    assert found.level is Level.PASS
    assert titles(found, Level.SKIPPED) == ["manifest", "recorded"]


def test_random_numbers_in_the_graph(save_model: Save) -> None:
    noise = helper.make_node("RandomNormalLike", ["x"], ["r"])
    found = edgeopt.validate_model(
        net(save_model, noise, helper.make_node("Add", ["x", "r"], ["y"]))
    )
    one = finding(found, "deterministic")
    assert one.level is Level.FAIL
    assert "the same input gives another y in the same session" in one.why


def test_random_numbers_with_a_seed_are_seen_within_a_session(save_model: Save) -> None:
    # A seeded generator goes on from call to call; only a fresh session starts again.
    noise = helper.make_node("RandomNormalLike", ["x"], ["r"], seed=3.0)
    found = edgeopt.validate_model(
        net(save_model, noise, helper.make_node("Add", ["x", "r"], ["y"]))
    )
    assert finding(found, "deterministic").level is Level.FAIL


def test_a_model_that_gives_nan(save_model: Save) -> None:
    nodes = helper.make_node("Sub", ["x", "x"], ["z"]), helper.make_node("Div", ["z", "z"], ["y"])
    found = edgeopt.validate_model(net(save_model, *nodes))
    one = finding(found, "finite (y)")
    assert (one.level, one.found) == (Level.FAIL, "32 of 32 NaN or infinite")
    assert "in 8 of 8 calls" in one.why


def test_a_model_that_ends_the_process(aborting_tflite: Path) -> None:
    found = edgeopt.validate_model(aborting_tflite)
    one = finding(found, "runs")
    assert one.level is Level.FAIL
    assert "the runtime crashed on it (SIGABRT)" in one.why
    assert "\n" not in one.why
    assert found.runtime is None


def test_an_operator_that_is_not_there(save_model: Save) -> None:
    unheard = helper.make_node("Unheard", ["x"], ["y"], domain="nobody.knows")
    model = onnx.load(net(save_model, unheard))
    model.opset_import.append(helper.make_opsetid("nobody.knows", 1))
    path = save_model([unheard], [], [])
    onnx.save(model, path)
    found = edgeopt.validate_model(path)
    assert "lacks an operator of this model" in finding(found, "runs").why


def test_a_batch_that_is_dynamic_in_name_only(save_model: Save) -> None:
    flat = helper.make_node("Reshape", ["x", "shape"], ["y"])
    found = edgeopt.validate_model(net(save_model, flat, shape=np.array([1, 4])))
    assert titles(found, Level.FAIL) == ["batch"]
    assert "can't run it" in finding(found, "batch").why


def test_warnings_are_failures_if_strict(conv_net: Path, other_net: Path) -> None:
    assert edgeopt.validate_model(conv_net, reference=other_net).level is Level.WARN
    strict = edgeopt.validate_model(conv_net, reference=other_net, strict=True)
    assert strict.level is Level.FAIL


def sequence_net(save_model: Save) -> Path:
    split = helper.make_node("SplitToSequence", ["x"], ["y"], axis=1)
    model = onnx.load(save_model([split], [("x", FLOAT, ["n", 4])], []))
    model.graph.output.append(helper.make_tensor_sequence_value_info("y", FLOAT, None))
    path = save_model([split], [], [], name="sequence.onnx")
    onnx.save(model, path)
    return path


def test_a_sequence_runs_and_is_not_compared(save_model: Save) -> None:
    net = sequence_net(save_model)
    found = edgeopt.validate_model(net)
    assert (found.level, finding(found, "finite (y)").figures["values"]) == (Level.PASS, 32)
    with pytest.raises(UnsupportedError, match="output 'y' is not a tensor"):
        edgeopt.validate_model(net, reference=net)


def test_numbers_that_numpy_has_not(save_model: Save) -> None:
    ends = [("x", TensorProto.BFLOAT16, ["n", 4])], [("y", TensorProto.BFLOAT16, ["n", 4])]
    net = save_model([helper.make_node("Identity", ["x"], ["y"])], *ends)
    with pytest.raises(UnsupportedError, match=r"x:bfloat16.* NumPy"):
        edgeopt.validate_model(net)


def test_what_lies_beside_a_file_is_part_of_it(conv_net: Path, tmp_path: Path) -> None:
    path = tmp_path / "apart.onnx"
    onnx.save(
        onnx.load(conv_net), path, save_as_external_data=True, location="apart.onnx.data",
        size_threshold=100,
    )  # fmt: skip
    assert titles(edgeopt.validate_model(path), Level.FAIL) == []
    path.with_name("apart.onnx.data").write_bytes(b"short")
    found = edgeopt.validate_model(path)
    assert "can't load it" in finding(found, "runs").why
    path.with_name("apart.onnx.data").unlink()
    found = edgeopt.validate_model(path)
    assert "its weights are in apart.onnx.data, which is not there" in finding(found, "loads").why
    with pytest.raises(GateError, match=r"mend it$"):
        check_validation(found)


@pytest.mark.parametrize(
    ("options", "kind", "told"),
    [
        ({"min_sqnr": 20}, UsageError, "--min-sqnr needs a model to compare"),
        ({"min_agreement": "99%"}, UsageError, "--min-agreement needs a model to compare"),
        ({"min_accuracy": "9%"}, UsageError, "--min-accuracy needs labelled data"),
        ({"min_accuracy": "9", "evaluation": "gone.npz"}, UsageError, "9 is not a share"),
        ({"weights": "w.safetensors"}, UsageError, "there is no --reference"),
        ({"min_sqnr": float("nan")}, UsageError, "--min-sqnr is nan"),
        ({"evaluation": "gone.npz"}, DataError, "gone.npz: no such file"),
        ({"reference": "gone.onnx"}, ModelError, "gone.onnx: no such file"),
    ],
)
def test_options_that_are_none(
    conv_net: Path, options: dict[str, Any], kind: type[Exception], told: str
) -> None:
    with pytest.raises(kind, match=told):
        edgeopt.validate_model(conv_net, **options)


def test_min_accuracy_needs_labels(conv_net: Path, conv_data: Path) -> None:
    with pytest.raises(DataError, match="has no labels"):
        edgeopt.validate_model(conv_net, evaluation=conv_data, min_accuracy="9%")


def test_a_reference_that_crashes(conv_net: Path, aborting_tflite: Path) -> None:
    with pytest.raises(
        ModelError, match=r"as a reference, .*aborting\.tflite: the runtime crashed"
    ):
        edgeopt.validate_model(conv_net, reference=aborting_tflite)


def test_a_file_that_is_not_there() -> None:
    with pytest.raises(ModelError, match=r"gone\.onnx: no such file"):
        edgeopt.validate_model("gone.onnx")


def test_a_file_that_is_no_artifact(conv_data: Path) -> None:
    with pytest.raises(UnsupportedError):
        edgeopt.validate_model(conv_data)


@pytest.mark.usefixtures("tensorrt_is_here")
def test_an_engine_where_there_is_no_gpu(conv_net: Path, tmp_path: Path) -> None:
    from edgeopt.core.gpu import local_gpu

    if local_gpu() is not None:
        pytest.skip("there is a GPU")
    made = edgeopt.convert(
        conv_net, to="tensorrt", target="rtx-4090", output=tmp_path / "out",
        input=["image:float32[1..8,3,8,8]"],
    )  # fmt: skip
    with pytest.raises(MeasurementError, match="can't be run here: it needs an NVIDIA GPU"):
        edgeopt.validate_model(made.artifacts[0].path)
