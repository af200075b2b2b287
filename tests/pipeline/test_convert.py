"""The conversion as a whole: what it makes, what it says, and what it leaves alone."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper

import edgeopt
from edgeopt.core.errors import (
    DataError,
    EdgeOptError,
    OutputError,
    UnsupportedError,
    UsageError,
    VerificationError,
)
from edgeopt.core.manifest import Manifest, read_manifest
from edgeopt.core.precision import Precision
from edgeopt.core.record import from_json
from edgeopt.core.runtime import saturates

ALL = ["fp32", "fp16", "int8"]


def test_all_precisions_with_their_manifests(
    conv_net: Path, conv_data: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    result = edgeopt.convert(conv_net, precision=ALL, calibration=conv_data, output=out)
    assert sorted(p.name for p in out.iterdir()) == sorted(
        f"conv_net.{p}.onnx{s}" for p in ALL for s in ("", ".json")
    )
    for artifact, precision in zip(result.artifacts, ALL, strict=True):
        path = Path(artifact.path)
        manifest = artifact.manifest
        assert from_json(Path(f"{path}.json").read_bytes(), Manifest, where="m") == manifest
        assert manifest.precision == precision
        assert manifest.size_bytes == path.stat().st_size
        assert manifest.source.sha256
        assert manifest.versions["onnxruntime"] == ort.__version__
        assert manifest.verification is not None
        assert manifest.verification.passed
        session = ort.InferenceSession(str(path))
        assert [i.type for i in session.get_inputs()] == ["tensor(float)"]
        assert [o.type for o in session.get_outputs()] == ["tensor(float)"]
    sizes = [a.manifest.size_bytes for a in result.artifacts]
    assert sizes[1] < sizes[0]


def test_the_last_tenth_is_verified_on_and_not_calibrated_on(
    conv_net: Path, conv_data: Path, tmp_path: Path
) -> None:
    result = edgeopt.convert(
        conv_net, precision="int8", calibration=conv_data, output=tmp_path / "out"
    )
    manifest = result.artifacts[0].manifest
    assert manifest.calibration[0].used == (0, 36)
    assert manifest.verification is not None
    assert manifest.verification.data.used == (36, 40)


def test_evaluation_data_leaves_every_sample_to_calibration(
    conv_net: Path, conv_data: Path, tmp_path: Path
) -> None:
    result = edgeopt.convert(
        conv_net, precision="int8", calibration=conv_data, evaluation=conv_data,
        output=tmp_path / "out",
    )  # fmt: skip
    manifest = result.artifacts[0].manifest
    assert manifest.calibration[0].used == (0, 40)
    assert manifest.verification is not None
    assert manifest.verification.data.used == (0, 40)


def test_without_data_the_inputs_are_random_and_that_is_said(
    conv_net: Path, tmp_path: Path
) -> None:
    result = edgeopt.convert(conv_net, output=tmp_path / "out")
    check = result.artifacts[0].manifest.verification
    assert check is not None
    assert (check.data.kind, check.data.location) == ("random", "seed 0")
    assert any("random" in w for w in result.warnings)


def test_the_default_target_is_named_and_warned_about(
    conv_net: Path, conv_data: Path, tmp_path: Path
) -> None:
    result = edgeopt.convert(conv_net, precision="int8", calibration=conv_data, output=tmp_path)
    assert result.artifacts[0].manifest.recipe.target == "x86-64-vnni"
    assert any("VNNI" in w for w in result.warnings)


def test_verification_can_be_left_out(conv_net: Path, conv_data: Path, tmp_path: Path) -> None:
    result = edgeopt.convert(
        conv_net, precision="int8", calibration=conv_data, verify=False, output=tmp_path / "out"
    )
    manifest = result.artifacts[0].manifest
    assert manifest.verification is None
    assert manifest.calibration[0].used == (0, 40)


def test_an_artifact_below_its_floor_is_kept_as_failed(
    conv_net: Path, conv_data: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    with pytest.raises(VerificationError, match=r"below the floor of 70 dB.*\.failed") as error:
        edgeopt.convert(
            conv_net, precision="fp32,int8", calibration=conv_data, min_sqnr=70, output=out
        )
    assert error.value.exit_code == 1
    names = {p.name for p in out.iterdir()}
    assert "conv_net.int8.onnx.failed" in names
    assert "conv_net.int8.onnx" not in names
    assert "conv_net.fp32.onnx" in names


def test_what_is_nan_in_the_model_itself_is_told_and_is_no_failure(
    save_model: Callable[..., Path], tmp_path: Path
) -> None:
    path = save_model(
        [
            helper.make_node("Abs", ["x"], ["a"]),
            helper.make_node("Neg", ["a"], ["n"]),
            helper.make_node("Log", ["n"], ["y"]),
        ],
        [("x", TensorProto.FLOAT, ["batch", 4])],
        [("y", TensorProto.FLOAT, ["batch", 4])],
    )
    result = edgeopt.convert(path, output=tmp_path / "out")
    (warning,) = [w for w in result.warnings if "NaN" in w]
    assert "answers NaN in output 'y', for 8 of the samples" in warning
    assert "give real ones with --evaluation" in warning


def test_sizes_that_a_model_does_not_take_are_said_with_the_way_out(
    save_model: Callable[..., Path], tmp_path: Path
) -> None:
    path = save_model(
        [helper.make_node("Reshape", ["x", "pairs"], ["y"])],
        [("x", TensorProto.FLOAT, ["batch", "length"])],
        [("y", TensorProto.FLOAT, ["batch", 2, 2])],
        {"pairs": np.array([-1, 2, 2])},
    )
    with pytest.raises(DataError, match=r"given x:float32\[1,1\]; .* is random.* with --input"):
        edgeopt.convert(path, output=tmp_path / "out")
    with pytest.raises(DataError, match=r"it was given x:float32\[1,3\]") as error:
        edgeopt.convert(path, output=tmp_path / "out", evaluation=lambda: [{"x": np.ones(3)}])
    assert "--resize" not in str(error.value), "there are no pictures"


def test_an_axis_that_grows_with_the_input_is_not_one_of_classes(
    save_model: Callable[..., Path], tmp_path: Path
) -> None:
    def agreement(*shape: int | str) -> float | None:
        path = save_model(
            [helper.make_node("Relu", ["x"], ["y"])],
            [("x", TensorProto.FLOAT, shape)],
            [("y", TensorProto.FLOAT, shape)],
        )
        data = lambda: [{"x": np.arange(6, dtype=np.float32)}]  # noqa: E731
        made = edgeopt.convert(path, output=tmp_path / "out", evaluation=data, force=True)
        verified = made.artifacts[0].manifest.verification
        assert verified is not None
        return verified.outputs[0].agreement

    assert agreement(1, "frames") is None
    assert agreement(1, 6) == 1
    assert agreement("batch", 6) == 1


def test_a_broken_conversion_fails_verification_for_real(
    conv_net: Path, conv_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The check is of the file on disk: spoil the writer, and it must notice.
    from edgeopt.converters.onnx import floats

    real = floats.write_fp16

    def spoilt(request: object) -> object:
        import onnx
        from onnx import numpy_helper

        written = real(request)  # type: ignore[arg-type]
        model = onnx.load(request.path)  # type: ignore[attr-defined]
        for tensor in model.graph.initializer:
            if tensor.name.startswith("w3"):
                array = -numpy_helper.to_array(tensor)
                tensor.CopyFrom(numpy_helper.from_array(array, tensor.name))
        onnx.save(model, request.path)  # type: ignore[attr-defined]
        return written

    monkeypatch.setattr(floats, "write_fp16", spoilt)
    with pytest.raises(VerificationError, match="fp16"):
        edgeopt.convert(conv_net, precision="fp16", evaluation=conv_data, output=tmp_path / "out")


def test_our_own_files_are_replaced_and_others_never(
    conv_net: Path, conv_data: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    edgeopt.convert(conv_net, output=out)
    edgeopt.convert(conv_net, output=out)
    artifact = out / "conv_net.fp32.onnx"
    artifact.write_bytes(b"the user's own work")
    with pytest.raises(OutputError, match="--force"):
        edgeopt.convert(conv_net, output=out)
    assert artifact.read_bytes() == b"the user's own work"
    edgeopt.convert(conv_net, output=out, force=True)
    assert read_manifest(artifact) is not None


def test_a_manifest_that_is_not_ours_is_not_overwritten(conv_net: Path, tmp_path: Path) -> None:
    (tmp_path / "conv_net.fp32.onnx.json").write_text('{"mine": true}')
    with pytest.raises(OutputError, match="was not made by EdgeOpt"):
        edgeopt.convert(conv_net, output=tmp_path)


def test_the_source_is_never_overwritten(conv_net: Path, tmp_path: Path) -> None:
    source = conv_net.rename(tmp_path / "conv_net.fp32.onnx")
    data = source.read_bytes()
    # conv_net.fp32.onnx -> conv_net.fp32.fp32.onnx: the stem keeps them apart.
    edgeopt.convert(source, output=tmp_path)
    assert source.read_bytes() == data


def test_a_fixed_batch_is_filled(save_model: Callable[..., Path], tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    path = save_model(
        [helper.make_node("MatMul", ["x", "w"], ["y"])],
        [("x", TensorProto.FLOAT, [4, 3])],
        [("y", TensorProto.FLOAT, [4, 2])],
        {"w": rng.standard_normal((3, 2)).astype(np.float32)},
    )
    data = rng.standard_normal((22, 3)).astype(np.float32)
    data[21] = 9  # the last of an incomplete batch counts too
    np.savez(tmp_path / "d.npz", x=data)
    result = edgeopt.convert(
        path, precision="int8", calibration=tmp_path / "d.npz", evaluation=tmp_path / "d.npz",
        output=tmp_path / "out",
    )  # fmt: skip
    encodings = {e.tensor: e for e in result.artifacts[0].manifest.encodings}
    assert encodings["x"].high == pytest.approx(9, abs=0.1)


def test_one_sample_works_and_warns(conv_net: Path, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "d.npz", image=rng.standard_normal((1, 3, 8, 8)).astype(np.float32))
    result = edgeopt.convert(
        conv_net, precision="int8", calibration=tmp_path / "d.npz", output=tmp_path / "out"
    )
    assert any("1 sample only" in w for w in result.warnings)


def test_data_from_a_function(conv_net: Path, tmp_path: Path) -> None:
    def samples() -> Iterator[dict[str, np.ndarray]]:
        rng = np.random.default_rng(0)
        for _ in range(20):
            yield {"image": rng.standard_normal((3, 8, 8))}

    result = edgeopt.convert(
        conv_net, precision="int8", calibration=samples, output=tmp_path / "out"
    )
    assert result.artifacts[0].manifest.calibration[0].kind == "function"


def test_the_preprocessing_is_in_the_manifest(conv_net: Path, tmp_path: Path) -> None:
    contract = tmp_path / "pre.toml"
    contract.write_text("scale = 0.5\nmean = [1.0, 2.0, 3.0]\n")
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "d.npz", image=rng.integers(0, 9, (20, 3, 8, 8), dtype=np.uint8))
    result = edgeopt.convert(
        conv_net, precision="int8", calibration=tmp_path / "d.npz", preprocess=contract,
        output=tmp_path / "out",
    )  # fmt: skip
    manifest = result.artifacts[0].manifest
    assert manifest.preprocessing is not None
    assert manifest.preprocessing.mean == (1.0, 2.0, 3.0)
    encodings = {e.tensor: e for e in manifest.encodings}
    assert encodings["image"].low == pytest.approx(-3, abs=0.1)


@pytest.mark.parametrize(
    ("options", "kind", "told"),
    [
        ({"to": "tensorrt"}, UsageError, "'x86-64-vnni' has none: .*rtx-4090"),
        ({"to": "coreml"}, UsageError, "no format 'coreml'.*known: onnx"),
        ({"to": []}, UsageError, "--to is empty"),
        ({"precision": "int9"}, UsageError, "did you mean int8"),
        ({"precision": "int8"}, UsageError, "int8 needs calibration data.*--calibration"),
        ({"precision": "int8", "calibration": "gone.npz"}, DataError, "gone.npz: no such file"),
        ({"evaluation": "gone.npz"}, DataError, "gone.npz: no such file"),
        ({"target": "raspberry"}, UsageError, "no target called 'raspberry'"),
        ({"weights": "w.pt"}, UsageError, "--weights doesn't go with"),
        ({"preprocess": "gone.toml"}, UsageError, "gone.toml"),
        ({"input": ["picture:float32[1,3,8,8]"]}, UsageError, "no such input: it has: image"),
    ],
)
def test_wrong_use_is_one_line_and_leaves_nothing(
    conv_net: Path,
    tmp_path: Path,
    options: dict[str, object],
    kind: type[EdgeOptError],
    told: str,
) -> None:
    with pytest.raises(kind, match=told) as error:
        edgeopt.convert(conv_net, output=tmp_path / "out", **options)  # type: ignore[arg-type]
    assert "\n" not in str(error.value)
    assert error.value.exit_code == 2
    assert not (tmp_path / "out").exists()


def test_a_combination_that_does_not_exist_is_refused_before_any_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from edgeopt.converters import registry

    fewer = {k: v for k, v in registry.WRITERS.items() if k[1] is not Precision.FP16}
    monkeypatch.setattr("edgeopt.converters.registry.WRITERS", fewer)
    with pytest.raises(UnsupportedError, match="no fp16 onnx: onnx has: fp32, int8"):
        edgeopt.convert(tmp_path / "not_even_there.onnx", precision="fp16")


def test_data_that_does_not_fit_leaves_nothing(conv_net: Path, tmp_path: Path) -> None:
    np.savez(tmp_path / "d.npz", image=np.zeros((20, 1, 8, 8), np.float32))
    with pytest.raises(DataError, match=r"d\.npz\[\d+\].*takes"):
        edgeopt.convert(
            conv_net, precision="fp32,int8", calibration=tmp_path / "d.npz", output=tmp_path / "out"
        )
    assert not (tmp_path / "out").exists()


def test_what_goes_wrong_late_leaves_nothing_either(conv_net: Path, tmp_path: Path) -> None:
    images = np.zeros((20, 3, 8, 8), np.float32)
    images[3, 0, 0, 0] = np.nan
    np.savez(tmp_path / "d.npz", image=images)
    with pytest.raises(DataError, match=r"d\.npz\[3\].*NaN"):
        edgeopt.convert(
            conv_net, precision="fp32,int8", calibration=tmp_path / "d.npz", output=tmp_path / "out"
        )
    assert not (tmp_path / "out").exists()


def test_what_failed_before_is_replaced_and_others_work_never(
    conv_net: Path, tmp_path: Path
) -> None:
    failed = tmp_path / "conv_net.fp32.onnx.failed"
    for _ in range(2):
        with pytest.raises(VerificationError):
            edgeopt.convert(conv_net, output=tmp_path, min_sqnr=999)
    failed.write_bytes(b"the user's own work")
    with pytest.raises(OutputError, match="failed: is there already"):
        edgeopt.convert(conv_net, output=tmp_path, min_sqnr=999)
    assert failed.read_bytes() == b"the user's own work"


def test_the_manifest_is_readable_json(conv_net: Path, conv_data: Path, tmp_path: Path) -> None:
    edgeopt.convert(conv_net, precision="int8", calibration=conv_data, output=tmp_path)
    manifest = json.loads((tmp_path / "conv_net.int8.onnx.json").read_text())
    assert manifest["inputs"][0] == {
        "name": "image",
        "dtype": "float32",
        "shape": ["batch", 3, 8, 8],
    }


def test_the_example_reaches_its_figures(example: Path, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    result = edgeopt.convert(
        example / "model.pt2", precision=ALL, calibration=example / "calibration.npz",
        evaluation=example / "test.npz", output=tmp_path / "out",
    )  # fmt: skip
    checks = [a.manifest.verification for a in result.artifacts]
    int8 = checks[2]
    assert int8 is not None
    assert int8.data.samples == 2000
    assert int8.worst.agreement is not None
    assert int8.worst.agreement >= 0.99
    assert int8.worst.sqnr_db is not None
    assert int8.worst.sqnr_db >= 30
    assert int8.emulated == saturates(), "a VNNI artifact is not judged by sums that saturate"
    manifest = result.artifacts[2].manifest
    assert manifest.float_layers == ()
    assert manifest.outputs[0].name == "scores"
