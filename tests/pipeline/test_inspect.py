"""Reading models back: ours against their manifests, and anybody's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from edgeopt.core.errors import ModelError, UnsupportedError
from edgeopt.core.manifest import Manifest, manifest_path, read_manifest
from edgeopt.core.record import from_json, to_json
from edgeopt.pipeline.convert import convert
from edgeopt.pipeline.inspect import inspect
from edgeopt.pipeline.inspection.records import Basis, Inspection, ManifestState

Save = Callable[..., Path]


@pytest.fixture
def artifact(conv_net: Path, conv_data: Path, tmp_path: Path) -> Path:
    """An int8 artifact with its manifest."""
    made = convert(conv_net, precision="int8", calibration=conv_data, output=tmp_path / "out")
    return Path(made.artifacts[0].path)


def change(path: Path, constant: str, array: np.ndarray) -> None:
    """Replace an initializer, and make the manifest describe the changed file."""
    model = onnx.load(path)
    (tensor,) = [t for t in model.graph.initializer if t.name == constant]
    tensor.CopyFrom(numpy_helper.from_array(array, constant))
    manifest = read_manifest(path)
    assert manifest is not None
    onnx.save(model, path)
    from edgeopt.core.files import sha256

    told = to_json(manifest).replace(manifest.sha256.encode(), sha256(path).encode())
    manifest_path(path).write_bytes(told)


def test_an_artifact_of_ours(artifact: Path) -> None:
    found = inspect(artifact)
    assert found.manifest_state is ManifestState.MATCHES
    assert found.encodings_match is True
    assert found.layers_from is Basis.RUNTIME
    assert found.warnings == ()
    assert [layer.arithmetic for layer in found.layers] == ["integer"] * 3
    assert [layer.weight_shape for layer in found.layers] == [(8, 3, 3, 3), (8, 1, 3, 3), (5, 8)]
    assert {layer.weight_dtype for layer in found.layers} == {"int8"}
    assert found.qdq_pairs == found.ops["QuantizeLinear"]
    assert from_json(to_json(found), Inspection, where="it") == found


def test_scales_are_read_from_the_file(artifact: Path) -> None:
    found = inspect(artifact)
    stored = {e.tensor: e for e in found.encodings}
    constants = {t.name: numpy_helper.to_array(t) for t in onnx.load(artifact).graph.initializer}
    first = found.layers[0]
    assert first.input == "image"
    assert stored["image"].scale == (float(constants["image_scale"]),)
    assert stored["image"].zero_point == (int(constants["image_zero_point"]),)
    assert not stored["image"].constant
    assert first.weight is not None
    weight = stored[first.weight]
    assert weight.constant
    assert weight.axis == 0
    assert weight.scale == tuple(map(float, constants[f"{first.weight}_scale"]))


def test_a_scale_that_differs_in_its_last_bit_is_found(artifact: Path) -> None:
    scale = np.float32(inspect(artifact).encodings[0].scale[0])
    tensor = inspect(artifact).encodings[0].tensor
    change(artifact, f"{tensor}_scale", np.nextafter(scale, np.float32(1)))
    found = inspect(artifact)
    assert found.manifest_state is ManifestState.MATCHES
    assert found.encodings_match is False
    assert found.warnings == (f"the file's scales differ from the manifest's for {tensor!r}",)


def test_a_stale_manifest_is_not_believed(artifact: Path) -> None:
    model = onnx.load(artifact)
    model.doc_string = "changed"
    onnx.save(model, artifact)
    found = inspect(artifact)
    assert (found.manifest_state, found.manifest) == (ManifestState.STALE, None)
    assert found.layers_from is Basis.STRUCTURE
    assert [layer.arithmetic for layer in found.layers] == ["integer"] * 3
    assert "changed since" in found.warnings[0]


def test_a_file_beside_it_that_is_no_manifest(artifact: Path) -> None:
    manifest_path(artifact).write_text("{}", encoding="utf-8")
    found = inspect(artifact)
    assert (found.manifest_state, found.manifest) == (ManifestState.UNREADABLE, None)
    assert "not a manifest of ours" in found.warnings[0]


def test_a_failed_artifact_can_be_looked_at(artifact: Path) -> None:
    failed = artifact.rename(artifact.with_name(artifact.name + ".failed"))
    manifest_path(artifact).rename(manifest_path(failed))
    assert inspect(failed).manifest_state is ManifestState.MATCHES


def test_the_example(example: Path, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    made = convert(
        example / "model.pt2",
        precision="int8",
        calibration=example / "calibration.npz",
        output=tmp_path,
        verify=False,
    )
    found = inspect(made.artifacts[0].path)
    assert found.encodings_match is True
    assert {layer.arithmetic for layer in found.layers} == {"integer"}
    assert found.manifest is not None
    assert found.manifest.integer_layers == len(found.layers)


# Files of others -----------------------------------------------------------------------------


def test_a_float_model(conv_net: Path) -> None:
    found = inspect(conv_net)
    assert (found.manifest_state, found.encodings_match) == (ManifestState.ABSENT, None)
    assert found.opsets == {"ai.onnx": 18}
    assert [str(s) for s in found.inputs] == ["image:float32[batch,3,8,8]"]
    assert [layer.arithmetic for layer in found.layers] == ["float32"] * 3
    assert found.ops == {"Conv": 2, "Add": 1, "Clip": 1, "Gemm": 1, "ReduceMean": 1}
    # 216 + 8 in conv1, 72 in depthwise, 40 + 5 in the head, and the two bounds of the Clip.
    assert found.parameters == 343


def test_the_reasons_that_the_structure_shows(save_model: Save) -> None:
    def dequantized(tensor: str) -> onnx.NodeProto:
        return helper.make_node("DequantizeLinear", [tensor, "s", "z"], [f"{tensor}_dq"])

    model = save_model(
        [
            dequantized("w"),
            helper.make_node("MatMul", ["x", "w_dq"], ["a"], "weight_only"),
            helper.make_node("QuantizeLinear", ["a", "s", "z"], ["q"]),
            dequantized("q"),
            helper.make_node("MatMul", ["q_dq", "w_dq"], ["b"], "integer"),
            helper.make_node("MatMul", ["a", "b"], ["y"], "activations"),
        ],
        [("x", TensorProto.FLOAT, [4, 4])],
        [("y", TensorProto.FLOAT, [4, 4])],
        {"w": np.eye(4, dtype=np.int8), "s": np.float32(0.5), "z": np.int8(3)},
    )
    found = inspect(model)
    weight_only, integer, activations = found.layers
    assert weight_only.arithmetic == "float32"
    assert weight_only.reason == "its weights are integers, but not its input"
    assert (integer.arithmetic, integer.reason) == ("integer", None)
    assert (activations.weight_shape, activations.reason) == (None, None)
    assert found.qdq_pairs == 1
    assert [(e.dtype, e.scale, e.zero_point) for e in found.encodings] == [
        ("int8", (0.5,), (3,))
    ] * 2


def test_weights_that_are_beside_the_file(conv_net: Path, tmp_path: Path) -> None:
    folder = tmp_path / "external"
    folder.mkdir()
    model = onnx.load(conv_net)
    onnx.save(
        model, folder / "m.onnx", save_as_external_data=True, location="m.data", size_threshold=0
    )
    found = inspect(folder / "m.onnx")
    assert found.parameters == 343
    assert found.size_bytes == sum(p.stat().st_size for p in folder.iterdir())
    (folder / "m.data").unlink()
    assert inspect(folder / "m.onnx").warnings == ("its weights are in m.data, which is not there",)


def test_a_model_that_points_out_of_its_folder_is_not_followed(
    artifact: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    model = onnx.load(artifact)
    onnx.save(
        model, folder / "m.onnx", save_as_external_data=True, location="m.data", size_threshold=0
    )
    inside = inspect(folder / "m.onnx")
    (folder / "m.data").rename(tmp_path / "m.data")
    pointing = onnx.load(folder / "m.onnx", load_external_data=False)
    for tensor in pointing.graph.initializer:
        for entry in tensor.external_data:
            if entry.key == "location":
                entry.value = "../m.data"
    onnx.save(pointing, folder / "m.onnx")
    assert len(inside.encodings) > 0
    assert inspect(folder / "m.onnx").encodings == ()


def test_what_a_file_leaves_open_is_said(save_model: Save) -> None:
    path = save_model(
        [helper.make_node("Identity", ["x"], ["y"])],
        [("x", TensorProto.STRING, ["n"])],
        [("y", TensorProto.STRING, ["n"])],
    )
    model = onnx.load(path)
    model.graph.output[0].type.tensor_type.ClearField("shape")
    onnx.save(model, path)
    found = inspect(path)
    assert [str(s) for s in (*found.inputs, *found.outputs)] == ["x:string[n]", "y:string[...]"]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "without a graph"),
        (b"\x08\x07", "without a graph"),
        (b"noise" * 99, "not a valid ONNX"),
    ],
)
def test_a_bad_file(tmp_path: Path, content: bytes, told: str) -> None:
    bad = tmp_path / "bad.onnx"
    bad.write_bytes(content)
    with pytest.raises(ModelError, match=told):
        inspect(bad)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.999])
def test_a_truncated_file(conv_net: Path, share: float) -> None:
    content = conv_net.read_bytes()
    conv_net.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(ModelError):
        inspect(conv_net)


def test_not_there_and_not_onnx(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no such file"):
        inspect(tmp_path / "missing.onnx")
    (tmp_path / "model.pt2").write_bytes(b"")
    with pytest.raises(UnsupportedError, match=r"only \.onnx, \.tflite and \.engine files"):
        inspect(tmp_path / "model.pt2")
    (tmp_path / "folder.onnx").mkdir()
    with pytest.raises(ModelError, match=r"folder\.onnx: is a folder"):
        inspect(tmp_path / "folder.onnx")


def test_the_manifest_is_whole(artifact: Path) -> None:
    found = inspect(artifact)
    assert found.manifest == from_json(
        manifest_path(artifact).read_bytes(), Manifest, where="manifest"
    )
