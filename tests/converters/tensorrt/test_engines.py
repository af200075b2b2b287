"""Engines of real nets for two generations of GPUs: what was planned in integers is in integers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import NodeProto, TensorProto, helper

import edgeopt
from edgeopt.converters.build_options import BuildOptions
from edgeopt.converters.tensorrt.building import Built, build_engine
from edgeopt.converters.tensorrt.delivery import RTX, Builder
from edgeopt.converters.tensorrt.planned import Planned
from edgeopt.converters.tensorrt.readback import read_back
from edgeopt.core.manifest import Manifest
from edgeopt.core.record import from_json
from edgeopt.pipeline.making import Artifact

Save = Callable[..., Path]
ROOT = Path(__file__).parents[3]
GPUS = ("SM86", "SM120")
PRECISIONS = ("fp32", "fp16", "int8")


@pytest.fixture
def resnet(save_model: Save, tmp_path: Path, rng: np.random.Generator) -> dict[str, Any]:
    """Stem, pool, two residual blocks, the second with a shortcut of its own, mean, dense layer."""
    constants: dict[str, np.ndarray] = {}
    nodes: list[NodeProto] = []

    def conv(source: str, name: str, channels: tuple[int, int], size: int, stride: int = 1) -> str:
        shape = (channels[1], channels[0], size, size)
        scale = np.float32(1 / np.sqrt(channels[0] * size * size))
        constants[f"{name}_w"] = scale * rng.standard_normal(shape, dtype=np.float32)
        constants[f"{name}_b"] = rng.standard_normal(channels[1], dtype=np.float32) / 8
        inputs, pad = [source, f"{name}_w", f"{name}_b"], size // 2
        nodes.append(
            helper.make_node("Conv", inputs, [name], name, pads=[pad] * 4, strides=[stride] * 2)
        )
        return name

    def then(op: str, inputs: list[str], output: str, **attributes: Any) -> str:
        nodes.append(helper.make_node(op, inputs, [output], output, **attributes))
        return output

    def block(source: str, name: str, channels: tuple[int, int], stride: int) -> str:
        first = then("Relu", [conv(source, f"{name}1", channels, 3, stride)], f"{name}1_relu")
        second = conv(first, f"{name}2", (channels[1], channels[1]), 3)
        shortcut = source if stride == 1 else conv(source, f"{name}s", channels, 1, stride)
        return then("Relu", [then("Add", [second, shortcut], f"{name}_sum")], f"{name}_relu")

    stem = then("Relu", [conv("image", "stem", (3, 16), 7, 2)], "stem_relu")
    pool = {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1, 1, 1, 1]}
    x = then("MaxPool", [stem], "pool", **pool)
    x = block(block(x, "a", (16, 16), 1), "b", (16, 32), 2)
    flat = then("Flatten", [then("GlobalAveragePool", [x], "mean")], "flat")
    constants["fc_w"] = rng.standard_normal((10, 32), dtype=np.float32) / 6
    constants["fc_b"] = np.zeros(10, np.float32)
    then("Gemm", [flat, "fc_w", "fc_b"], "scores", transB=1)
    net = save_model(
        nodes,
        [("image", TensorProto.FLOAT, ["batch", 3, 32, 32])],
        [("scores", TensorProto.FLOAT, ["batch", 10])],
        constants,
        name="resnet.onnx",
    )
    np.savez(tmp_path / "images.npz", image=rng.standard_normal((24, 3, 32, 32), np.float32))
    return {"model": net, "calibration": tmp_path / "images.npz"}


@pytest.fixture
def efficientnet(tmp_path: Path, rng: np.random.Generator) -> dict[str, Any]:
    """EfficientNet-Lite0, untrained, on small images."""
    np.savez(tmp_path / "images.npz", image=rng.standard_normal((8, 3, 64, 64), np.float32))
    return {
        "model": f"{ROOT}/comparisons/assets/efficientnet_lite0_net.py:net",
        "calibration": tmp_path / "images.npz",
        "input": ["image:float32[batch,3,64,64]"],
        "effort": "fast",
    }


@pytest.fixture
def transformer(encoder: Path, texts: Path) -> dict[str, Any]:
    return {"model": encoder, "calibration": texts, "effort": "fast"}


@pytest.fixture
def from_pytorch(example: Path) -> dict[str, Any]:
    return {"model": example / "model.pt2", "calibration": example / "calibration.npz"}


@pytest.fixture
def from_keras(example: Path) -> dict[str, Any]:
    samples = f"{example}/samples.py:calibration"
    return {"model": example / "model.keras", "calibration": samples}


def prepared(net: dict[str, Any], folder: Path) -> dict[str, Artifact]:
    """What engines are built from, by precision: the kits for a GPU that none is built for here."""
    made = edgeopt.convert(
        **net, to="tensorrt", precision=PRECISIONS, target="jetson-orin-nano", output=folder,
        verify=False,
    )  # fmt: skip
    return {artifact.manifest.precision.value: artifact for artifact in made.artifacts}


def built(kit: Artifact, gpu: str, engine: Path) -> Built:
    assert kit.manifest.engine is not None
    builder, onnx = Builder(RTX, gpu), Path(kit.path, "model.onnx")
    return build_engine(builder, onnx, engine, kit.manifest.engine.shapes, BuildOptions(), "net")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "layers"),
    [
        ("from_pytorch", 17),
        ("from_keras", 17),
        ("resnet", 7),
        ("efficientnet", 50),
        ("transformer", 3),
    ],
)
def test_every_layer_that_was_planned_is_integer(
    request: pytest.FixtureRequest, tmp_path: Path, name: str, layers: int
) -> None:
    kits = prepared(request.getfixturevalue(name), tmp_path / "out")
    planned = planned_of(kits["int8"])
    assert len(planned) == layers
    for gpu in GPUS:
        found = {p: built(kits[p], gpu, tmp_path / "engine") for p in PRECISIONS}
        back = read_back(found["int8"].layers, planned)
        assert (back.integer, back.stayed) == (layers, ()), gpu
        kernels = {p: precisions(found[p], planned) for p in ("fp32", "fp16")}
        assert kernels == {"fp32": {"float32"}, "fp16": {"float16"}}, gpu


def planned_of(kit: Artifact) -> list[Planned]:
    import json

    order = json.loads(Path(kit.path, "kit.json").read_bytes())
    return [Planned(**plan) for plan in order["planned"]]


def precisions(found: Built, planned: list[Planned]) -> set[str]:
    """What the planned layers compute in, in an engine that isn't integer."""
    names = {plan.node for plan in planned}
    layers = [layer for layer in found.layers if names & {*layer.nodes} and layer.inputs]
    return {layer.inputs[0] for layer in layers if layer.kind in ("correlation", "gemm")}


def test_symmetric_ranges_cost_something_and_it_is_told(example: Path, tmp_path: Path) -> None:
    made = edgeopt.convert(
        example / "model.pt2", to="onnx,tensorrt", precision="int8", target="rtx-3090",
        calibration=example / "calibration.npz", output=tmp_path / "out", effort="fast",
    )  # fmt: skip
    sqnr = [decibels(artifact.manifest) for artifact in made.artifacts]
    assert sqnr[0] > sqnr[1] > 30  # 36.3 and 32.4 dB; 38.9 and 35.0 with corrections
    stored = Path(f"{made.artifacts[1].path}.json").read_bytes()
    assert decibels(from_json(stored, Manifest, where="it")) == sqnr[1]


def decibels(manifest: Manifest) -> float:
    assert manifest.verification is not None
    found = manifest.verification.worst.sqnr_db
    assert found is not None
    return found
