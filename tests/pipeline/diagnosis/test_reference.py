"""The float graph, found or made again."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

import edgeopt
from edgeopt.core.errors import EdgeOptError, ModelError, UsageError
from edgeopt.core.manifest import Manifest, read_manifest
from edgeopt.core.progress import silent
from edgeopt.pipeline.diagnosis.reference import Reference, find_reference
from edgeopt.pipeline.given import GivenModel

Make = Callable[..., Path]

FACTORY = """
import torch

def net():
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.ReLU(), torch.nn.Flatten())
"""


def described(artifact: Path) -> Manifest:
    manifest = read_manifest(artifact)
    assert manifest is not None
    return manifest


def find(artifact: Path, scratch: Path, model: object = None, **options: object) -> Reference:
    chosen = GivenModel(model, **options)  # type: ignore[arg-type]
    return find_reference(artifact, described(artifact), chosen, scratch, silent)


def change(model: Path) -> None:
    net = onnx.load(model)
    tensor = net.graph.initializer[0]
    tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor) * 2, tensor.name))
    onnx.save(net, model)


def test_an_fp32_artifact_beside_it_is_the_float_graph(
    artifact: Path, conv_net: Path, tmp_path: Path
) -> None:
    conv_net.unlink()
    found = find(artifact, tmp_path)
    assert found.path == artifact.with_name("conv_net.fp32.onnx")


def test_one_of_another_model_is_not(artifact: Path, conv_net: Path, tmp_path: Path) -> None:
    change(artifact.with_name("conv_net.fp32.onnx"))
    found = find(artifact, tmp_path)
    assert found.told == str(conv_net)


def test_the_source_gives_the_same_graph_again(
    artifact: Path, conv_net: Path, tmp_path: Path
) -> None:
    artifact.with_name("conv_net.fp32.onnx").unlink()
    assert find(artifact, tmp_path).path == tmp_path / "float.onnx"


def test_a_failed_artifact_finds_its_graph_too(
    conv_net: Path, conv_data: Path, tmp_path: Path
) -> None:
    with pytest.raises(EdgeOptError):
        edgeopt.convert(
            conv_net, precision="fp32,int8", calibration=conv_data, min_sqnr=70,
            output=tmp_path / "out",
        )  # fmt: skip
    failed = tmp_path / "out" / "conv_net.int8.onnx.failed"
    assert find(failed, tmp_path).path == tmp_path / "out" / "conv_net.fp32.onnx"


def test_a_source_that_is_gone(artifact: Path, conv_net: Path, tmp_path: Path) -> None:
    artifact.with_name("conv_net.fp32.onnx").unlink()
    moved = conv_net.rename(tmp_path / "moved.onnx")
    with pytest.raises(ModelError, match=r"conv_net.onnx, which it was made from, is not there"):
        find(artifact, tmp_path)
    assert find(artifact, tmp_path, model=moved).told == str(moved)


def test_a_source_that_was_changed(artifact: Path, conv_net: Path, tmp_path: Path) -> None:
    artifact.with_name("conv_net.fp32.onnx").unlink()
    change(conv_net)
    with pytest.raises(ModelError, match="was changed since it was made from it"):
        find(artifact, tmp_path)


def test_a_reference_that_is_another_model(artifact: Path, conv_net: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.onnx"
    shutil.copy(conv_net, other)
    change(other)
    with pytest.raises(ModelError, match=r"other.onnx: the float graph it gives is not the one"):
        find(artifact, tmp_path, model=other)


def test_another_version_is_named(artifact: Path, tmp_path: Path) -> None:
    import msgspec

    manifest = msgspec.structs.replace(
        described(artifact),
        graph_sha256="0" * 64,
        versions={**described(artifact).versions, "onnxruntime": "1.2.3"},
    )
    with pytest.raises(ModelError, match=r"made with onnxruntime 1\.2\.3 \(here 1\."):
        find_reference(artifact, manifest, GivenModel(None), tmp_path, silent)


def test_dimensions_that_were_fixed_are_fixed_again(
    conv_net: Path, conv_data: Path, tmp_path: Path
) -> None:
    made = edgeopt.convert(
        conv_net, precision="int8", calibration=conv_data, output=tmp_path / "out",
        input=["image:float32[1,3,8,8]"],
    )  # fmt: skip
    found = find(Path(made.artifacts[0].path), tmp_path)
    assert found.told == str(conv_net)


def test_an_input_that_was_made_a_constant_is_asked_for(
    save_model: Callable[..., Path], tmp_path: Path, rng: np.random.Generator
) -> None:
    model = save_model(
        [
            helper.make_node("MatMul", ["x", "w"], ["product"], "product"),
            helper.make_node("Mul", ["product", "rate"], ["y"], "scale"),
        ],
        [("x", TensorProto.FLOAT, ["n", 6]), ("rate", TensorProto.FLOAT, [])],
        [("y", TensorProto.FLOAT, ["n", 5])],
        {"w": rng.standard_normal((6, 5), dtype=np.float32)},
    )
    np.savez(tmp_path / "rows.npz", x=rng.standard_normal((20, 6)).astype(np.float32))
    made = edgeopt.convert(
        model, precision="int8", calibration=tmp_path / "rows.npz", input=["rate=2.5"],
        output=tmp_path / "out",
    )  # fmt: skip
    artifact = Path(made.artifacts[0].path)
    with pytest.raises(ModelError, match="with rate fixed to a value") as error:
        find(artifact, tmp_path)
    assert error.value.hint == "add --input rate=VALUE, as at conversion"
    assert find(artifact, tmp_path, input=("rate=2.5",)).told == str(model)


def test_a_live_module_is_gone(conv_net: Path, artifact: Path, tmp_path: Path) -> None:
    import msgspec

    from edgeopt.core.manifest import SourceRecord

    artifact.with_name("conv_net.fp32.onnx").unlink()
    live = msgspec.structs.replace(
        described(artifact), source=SourceRecord(kind="module", location="Net")
    )
    with pytest.raises(UsageError, match="made from a live Net, which is gone"):
        find_reference(artifact, live, GivenModel(None), tmp_path, silent)


@pytest.mark.slow
def test_a_factory_is_called_again_unless_code_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("torch")
    (tmp_path / "net.py").write_text(FACTORY, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    made = edgeopt.convert(
        "net.py:net", precision="fp16", output=tmp_path / "out",
        input=["input:float32[batch,3,8,8]"],
    )  # fmt: skip
    path = Path(made.artifacts[0].path)
    assert find(path, tmp_path).told == "net.py:net"
    with pytest.raises(UsageError, match="would run code"):
        find(path, tmp_path, code_allowed=False)
    (tmp_path / "net.py").write_text(FACTORY + "\n", encoding="utf-8")
    with pytest.raises(ModelError, match=r"net\.py was changed"):
        find(path, tmp_path)
