"""What the runtime makes of an artifact is compared with what it says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

import edgeopt
from edgeopt.core.runtime import open_session
from edgeopt.core.tensors import Batch
from edgeopt.data import Sample
from edgeopt.pipeline.meaning import changed_meaning

Save = Callable[..., Path]


@pytest.fixture
def net(save_model: Save, tmp_path: Path, rng: np.random.Generator) -> Path:
    """Three convolutions; one weight of the middle one is huge."""
    weights = {
        f"w{i}": rng.standard_normal((8, 3 if i == 0 else 8, 3, 3)).astype(np.float32)
        for i in range(3)
    }
    weights["w1"][0, 0, 0, 0] = 500  # in steps for its sake all others vanish
    np.savez(tmp_path / "d.npz", x=rng.standard_normal((24, 3, 9, 9)).astype(np.float32))
    nodes = []
    for i in range(3):
        nodes.append(helper.make_node("Conv", [f"v{i}", f"w{i}"], [f"c{i}"], f"layer{i}"))
        nodes.append(helper.make_node("Clip", [f"c{i}", "zero", "six"], [f"v{i + 1}"], f"clip{i}"))
    return save_model(
        nodes,
        [("v0", TensorProto.FLOAT, ["n", 3, 9, 9])],
        [("v3", TensorProto.FLOAT, ["n", 8, 3, 3])],
        {**weights, "zero": np.float32(0), "six": np.float32(6)},
    )


@pytest.fixture
def samples(net: Path) -> list[Sample]:
    images = np.load(net.with_name("d.npz"))["x"][:2]
    return [Sample({"v0": image[None]}, None, "d") for image in images]


def reference(net: Path) -> Callable[[Batch, str], list[np.ndarray]]:
    session = open_session(net)
    return lambda inputs, _: [np.asarray(y) for y in session.run(None, dict(inputs))]


@pytest.fixture
def mixed(net: Path, tmp_path: Path) -> Path:
    """The middle layer is kept float."""
    np.savez(tmp_path / "e.npz", v0=np.load(net.with_name("d.npz"))["x"])
    made = edgeopt.convert(
        net, precision="int8", calibration=tmp_path / "e.npz", keep_float="layer1",
        target="x86-64", min_sqnr=-100, output=tmp_path / "out",
    )  # fmt: skip
    assert made.artifacts[0].manifest.warnings == ()
    return Path(made.artifacts[0].path)


def test_an_artifact_that_means_what_it_says(net: Path, mixed: Path, samples: list[Sample]) -> None:
    assert changed_meaning(mixed, reference(net), samples, exact=False) == ()


def test_a_layer_that_silently_became_integer_is_told(
    net: Path, mixed: Path, samples: list[Sample], tmp_path: Path
) -> None:
    # Without its fence ONNX Runtime rounds the layer's float weights, one scale for all of them.
    proto = onnx.load(mixed)
    fence = next(n for n in proto.graph.node if n.name == "layer1_fence")
    for node in proto.graph.node:
        node.input[:] = [fence.input[0] if i == fence.output[0] else i for i in node.input]
    proto.graph.node.remove(fence)
    onnx.save(proto, tmp_path / "unfenced.onnx")
    (warning,) = changed_meaning(tmp_path / "unfenced.onnx", reference(net), samples, exact=False)
    assert "output 'v3' is another with ONNX Runtime's optimizations than without them" in warning


def test_a_scale_that_is_off_is_not_the_runtimes_fault(
    net: Path, mixed: Path, samples: list[Sample], tmp_path: Path
) -> None:
    proto = onnx.load(mixed)
    scale = next(t for t in proto.graph.initializer if t.name == "v1_scale")
    scale.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(scale) * 2, scale.name))
    onnx.save(proto, tmp_path / "off.onnx")
    assert changed_meaning(tmp_path / "off.onnx", reference(net), samples, exact=False) == ()
