"""Conversions to TensorRT: engines where no GPU is, and kits for what is built elsewhere."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import onnx
import pytest
from onnx import TensorProto, helper

import edgeopt
from edgeopt.cli.views.conversion import draw_conversion
from edgeopt.cli.views.inspection import draw_inspection
from edgeopt.converters.tensorrt import delivery
from edgeopt.core.errors import (
    EdgeOptError,
    MeasurementError,
    MissingExtraError,
    ModelError,
    UnsupportedError,
    UsageError,
)
from edgeopt.core.execution import Opened, open_artifact
from edgeopt.core.gpu import LocalGpu
from edgeopt.core.precision import Format
from edgeopt.pipeline import checking
from edgeopt.pipeline.convert import ConvertResult
from edgeopt.pipeline.inspection.records import Basis, ManifestState
from edgeopt.targets import load_target

Save = Callable[..., Path]

pytestmark = pytest.mark.usefixtures("tensorrt_is_here")


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def test_one_table_makes_all_three(conv_net: Path, conv_data: Path, out: Path) -> None:
    made = edgeopt.convert(
        conv_net, to="onnx,tflite,tensorrt", precision="int8", calibration=conv_data,
        target="rtx-4090", output=out, input=["image:float32[1..8,3,8,8]"],
    )  # fmt: skip
    names = [Path(artifact.path).name for artifact in made.artifacts]
    assert names == ["conv_net.int8.onnx", "conv_net.int8.tflite", "conv_net.int8.rtx-4090.engine"]
    manifest = made.artifacts[2].manifest
    assert (manifest.integer_layers, manifest.float_layers) == (3, ())
    assert manifest.verification is not None
    assert manifest.verification.stand_in
    assert manifest.verification.worst.sqnr_db is not None
    assert all(zero == 0 for e in manifest.encodings for zero in e.zero_point)
    assert manifest.engine is not None
    assert manifest.engine.compute_capability == "8.9"
    (shape,) = manifest.engine.shapes
    assert (shape.least, shape.largest) == ((1, 3, 8, 8), (8, 3, 8, 8))
    kernels = {
        n: layer
        for layer in manifest.engine.layers
        for n in layer.nodes
        if "kgen" not in layer.kind
    }
    assert {kernels[n].precision for n in ("conv1", "depthwise")} == {"int8"}
    assert made.warnings == (
        load_target("rtx-4090").warning and f"int8 is {load_target('rtx-4090').warning}",
    )


def test_an_engine_is_inspected_by_its_manifest(conv_net: Path, out: Path) -> None:
    result = edgeopt.convert(
        conv_net, to="tensorrt", precision="fp16", target="rtx-5090", output=out
    )
    (made,) = result.artifacts
    assert any("a batch of 1 of 'image' only" in warning for warning in result.warnings)
    found = edgeopt.inspect(made.path)
    assert found.layers_from is Basis.BUILD_LOG
    assert {layer.name: layer.arithmetic for layer in found.layers}["conv1"] == "float16"
    text = draw_inspection(found, everything=True)
    assert "compute capability 12.0" in text
    assert "as the ONNX that went in" in text
    Path(f"{made.path}.json").unlink()
    alone = edgeopt.inspect(made.path)
    assert (alone.layers, alone.manifest_state) == ((), ManifestState.ABSENT)
    assert any("only on the GPU that it is for" in w for w in alone.warnings)
    Path(made.path).write_bytes(b"not an engine")
    with pytest.raises(ModelError, match="not a TensorRT engine"):
        edgeopt.inspect(made.path)


def test_what_is_built_elsewhere_is_a_kit(conv_net: Path, conv_data: Path, out: Path) -> None:
    def make() -> ConvertResult:
        return edgeopt.convert(
            conv_net, to="tensorrt", precision="int8", calibration=conv_data,
            target="jetson-orin-nano", output=out,
        )  # fmt: skip

    first, again = make(), make()
    artifact = again.artifacts[0]
    assert Path(artifact.path).name == "conv_net.int8.jetson-orin-nano.kit"
    assert first.artifacts[0].manifest.sha256 == artifact.manifest.sha256
    assert "A kit is no engine yet" in draw_conversion(again)
    assert artifact.manifest.engine is not None
    assert artifact.manifest.engine.builder is None
    assert artifact.manifest.verification is not None
    model = onnx.load(Path(artifact.path) / "model.onnx")
    zeros = [i for i in model.graph.initializer if i.name.endswith("_zero_point")]
    assert zeros
    assert not any(onnx.numpy_helper.to_array(zero).any() for zero in zeros)
    found = edgeopt.inspect(artifact.path)
    assert found.encodings_match
    assert [layer.arithmetic for layer in found.layers] == ["integer"] * 3
    assert sorted(p.name for p in out.iterdir()) == [
        "conv_net.int8.jetson-orin-nano.kit", "conv_net.int8.jetson-orin-nano.kit.json",
    ]  # fmt: skip


@pytest.mark.parametrize("precision", ["fp32", "int8-weight", "int4-weight"])
def test_other_precisions(save_model: Save, rng: Any, out: Path, precision: str) -> None:
    net = save_model(
        [
            helper.make_node("MatMul", ["x", "w"], ["m"], "product"),
            helper.make_node("Relu", ["m"], ["y"], "relu"),
        ],
        [("x", TensorProto.FLOAT, [4, 64])],
        [("y", TensorProto.FLOAT, [4, 32])],
        {"w": rng.standard_normal((64, 32)).astype("float32") / 8},
    )
    (made,) = edgeopt.convert(
        net, to="tensorrt", precision=precision, target="rtx-3090", output=out
    ).artifacts
    assert made.manifest.engine is not None
    stored = {layer.weights for layer in made.manifest.engine.layers}
    assert {"fp32": "float32"}.get(precision, precision.removesuffix("-weight")) in stored
    assert made.manifest.integer_layers is None


@pytest.mark.parametrize(
    ("options", "kind", "told"),
    [
        ({"target": "arm64"}, UsageError, "target 'arm64' has none: name a target that has one"),
        (
            {"precision": "int8-dynamic"},
            UnsupportedError,
            "not from what it sees at run time; int8",
        ),
        ({"precision": "int16x8"}, UnsupportedError, "no 16-bit integer activations"),
        ({"build_timeout": 0.0}, UsageError, "--build-timeout is 0.0 s"),
        ({"build_memory": "much"}, UsageError, "--build-memory: 'much' isn't a size"),
        ({"to": "onnx", "timing_cache": "t"}, UsageError, "are for engines, and none is asked for"),
    ],
)
def test_what_does_not_go_together_is_refused_before_any_work(
    out: Path, options: dict[str, Any], kind: type[EdgeOptError], told: str
) -> None:
    with pytest.raises(kind, match=told):
        edgeopt.convert(
            "gone.pt2", **{"to": "tensorrt", "target": "rtx-4090", "output": out, **options}
        )
    assert not out.exists()


def test_a_size_without_a_range_is_refused(save_model: Save, out: Path) -> None:
    net = save_model(
        [helper.make_node("Relu", ["x"], ["y"], "relu")],
        [("x", TensorProto.FLOAT, ["batch", "words"])],
        [("y", TensorProto.FLOAT, ["batch", "words"])],
    )
    with pytest.raises(UsageError, match=r"'x' has any size along axis 1.*x:float32\[1..8,1..8\]"):
        edgeopt.convert(net, to="tensorrt", target="rtx-4090", output=out)
    assert not out.exists()


def test_an_unsupported_operator_leaves_nothing(save_model: Save, out: Path) -> None:
    net = save_model(
        [helper.make_node("Det", ["x"], ["y"], "determinant")],
        [("x", TensorProto.FLOAT, [2, 3, 3])],
        [("y", TensorProto.FLOAT, [2])],
    )
    with pytest.raises(UnsupportedError, match=r"TensorRT doesn't take Det 'determinant'"):
        edgeopt.convert(net, to="tensorrt", target="rtx-4090", output=out)
    assert not out.exists()
    found = edgeopt.coverage(net, "tensorrt")
    assert [(r.op, r.reason) for r in found.refused] == [("Det", "TensorRT has no such operator")]


def test_the_support_report_takes_quantized_files_too(
    conv_net: Path, conv_data: Path, out: Path
) -> None:
    assert edgeopt.coverage(conv_net, "tensorrt").fits
    made = edgeopt.convert(
        conv_net, precision="int8", calibration=conv_data, output=out, effort="fast", verify=False
    )
    found = edgeopt.coverage(made.artifacts[0].path, "tensorrt")
    assert not found.fits
    assert any("its zero point is" in r.reason for r in found.refused)
    assert any("leave biases float" in r.reason for r in found.refused)


def test_a_missing_module_is_told_before_any_work(
    out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "has", lambda module: False)
    monkeypatch.setattr(delivery, "rtx_installs_here", lambda: True)
    with pytest.raises(MissingExtraError, match=r"pip install 'edgeopt\[tensorrt\]'"):
        edgeopt.convert("gone.pt2", to="tensorrt", target="rtx-4090", output=out)
    assert not out.exists()


@pytest.mark.parametrize(
    ("target", "gpu", "installed", "builder"),
    [
        ("rtx-4090", None, {"tensorrt_rtx"}, ("tensorrt_rtx", "SM89")),
        ("tensorrt", None, {"tensorrt_rtx"}, ("tensorrt_rtx", None)),
        ("rtx-4090", None, {"tensorrt"}, None),
        ("rtx-4090", "8.9", {"tensorrt"}, ("tensorrt", None)),
        ("rtx-4090", "8.6", {"tensorrt"}, None),
        ("jetson-orin-nano", None, {"tensorrt_rtx", "tensorrt"}, None),
        ("jetson-orin-nano", "8.7", {"tensorrt"}, ("tensorrt", None)),
        ("jetson-orin-nano", "8.7", {"trtexec"}, ("trtexec", None)),
        ("jetson-orin-nano", None, {"trtexec"}, None),
        ("rtx-4090", "8.9", {"tensorrt", "tensorrt_rtx"}, ("tensorrt_rtx", "SM89")),
    ],
)
def test_what_builds_for_a_target(
    monkeypatch: pytest.MonkeyPatch,
    target: str,
    gpu: str | None,
    installed: set[str],
    builder: tuple[str, str | None] | None,
) -> None:
    monkeypatch.setattr(delivery, "has", installed.__contains__)
    monkeypatch.setattr(delivery, "rtx_installs_here", lambda: False)
    monkeypatch.setattr(delivery, "local_gpu", lambda: gpu and LocalGpu("GPU", gpu))
    found = delivery.builder_for(load_target(target))
    assert (None if found is None else (found.module, found.capability)) == builder


@pytest.mark.parametrize(("to", "provider"), [("tensorrt", "cpu"), ("onnx", "cuda")])
def test_measuring_needs_a_gpu(conv_net: Path, out: Path, to: str, provider: str) -> None:
    (made,) = edgeopt.convert(
        conv_net, to=to, target="rtx-4090", output=out, verify=False
    ).artifacts
    with pytest.raises(MeasurementError, match="needs an NVIDIA GPU, and this machine has none"):
        edgeopt.benchmark([made.path], provider=provider)
    with pytest.raises(UsageError, match="did you mean cuda"):
        edgeopt.benchmark([made.path], provider="cude")


def test_where_the_gpu_is_the_engine_itself_is_verified(
    conv_net: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # No GPU is here: ONNX Runtime stands in for the engine, to see that what it gives is compared.
    def stand_in(path: Path, outputs: list[str], name: str) -> Opened:
        assert path.name == "conv_net.fp32.rtx-4090.engine"
        assert outputs == ["scores"]
        return open_artifact(conv_net, Format.ONNX)

    monkeypatch.setattr(checking, "fits_here", lambda target: True)
    monkeypatch.setattr(checking, "open_engine", stand_in)
    (made,) = edgeopt.convert(conv_net, to="tensorrt", target="rtx-4090", output=out).artifacts
    assert made.manifest.verification is not None
    assert not made.manifest.verification.stand_in


def test_layers_that_are_kept_float_are_float(conv_net: Path, conv_data: Path, out: Path) -> None:
    (made,) = edgeopt.convert(
        conv_net, to="tensorrt", precision="int8", calibration=conv_data, target="rtx-4090",
        output=out, keep_float="depthwise",
    ).artifacts  # fmt: skip
    manifest = made.manifest
    assert manifest.engine is not None
    assert [layer.node for layer in manifest.float_layers] == ["depthwise"]
    assert manifest.integer_layers == 2
    kernels = {n: x for x in manifest.engine.layers for n in x.nodes if x.kind == "correlation"}
    assert (kernels["conv1"].precision, kernels["depthwise"].precision) == ("int8", "float32")


def test_the_manifest_is_json(conv_net: Path, out: Path) -> None:
    edgeopt.convert(conv_net, to="tensorrt", target="rtx-4090", output=out, verify=False)
    manifest = json.loads((out / "conv_net.fp32.rtx-4090.engine.json").read_bytes())
    assert manifest["format"] == "tensorrt"
    assert {layer["precision"] for layer in manifest["engine"]["layers"]} == {"float32"}
    assert manifest["engine"]["builder"].startswith("tensorrt_rtx 1.")
