"""Part by part gives what the whole gives, whatever changed in what hadn't run yet."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import helper, numpy_helper

from edgeopt.converters.onnx.stepwise import Stepwise
from edgeopt.data import Sample
from edgeopt.pipeline.making import Artifact

Make = Callable[..., Artifact]


def whole(
    model: onnx.ModelProto, names: list[str], samples: list[Sample]
) -> list[list[np.ndarray]]:
    """Some values of a model run in one piece, by value and sample."""
    model.graph.output.extend(onnx.ValueInfoProto(name=name) for name in names)
    session = ort.InferenceSession(model.SerializeToString())
    runs = [session.run(names, sample.inputs) for sample in samples]
    return [list(found) for found in zip(*runs, strict=True)]


def asked(name: str) -> list[onnx.NodeProto]:
    return [helper.make_node("Identity", [name], ["asked"])]


@pytest.fixture
def samples(conv_data: Path) -> list[Sample]:
    images = np.load(conv_data)["image"][:6]
    return [Sample({"image": image[None]}, None, f"d[{i}]") for i, image in enumerate(images)]


@pytest.fixture
def model(conv_net: Path, conv_data: Path, make: Make) -> onnx.ModelProto:
    # No two products saturate here, so that the runtime's kernels agree with one another.
    return onnx.load(make(conv_net, calibration=conv_data, target="x86-64").path)


def goals_of(model: onnx.ModelProto) -> list[str]:
    return [n.input[0] for n in model.graph.node if n.op_type in ("Conv", "Add", "Gemm")]


def test_every_goal_is_what_the_whole_model_gives(
    model: onnx.ModelProto, samples: list[Sample], tmp_path: Path
) -> None:
    goals = goals_of(model)
    walk = Stepwise(model, samples, goals, tmp_path)
    found = [list(walk.run(asked(goal), [])) for goal in goals]
    for one, two in zip(found, whole(model, goals, samples), strict=True):
        np.testing.assert_allclose(one, two, atol=1e-6)
    assert list(tmp_path.glob("part*")) == []


def test_a_new_constant_counts_for_what_has_not_run(
    model: onnx.ModelProto, samples: list[Sample], tmp_path: Path
) -> None:
    goals = goals_of(model)
    bias = next(t for t in model.graph.initializer if t.name == "b1_corrected_quantized")
    moved = numpy_helper.to_array(bias) + 100_000
    walk = Stepwise(model, samples, goals, tmp_path)
    (*_,) = walk.run(asked(goals[0]), [])
    walk.replace(bias.name, moved)
    after = list(walk.run(asked(goals[1]), []))
    bias.CopyFrom(numpy_helper.from_array(moved, bias.name))
    (expected,) = whole(model, [goals[1]], samples)
    np.testing.assert_allclose(after, expected, atol=1e-6)


def test_only_what_is_still_read_is_held(
    model: onnx.ModelProto, samples: list[Sample], tmp_path: Path
) -> None:
    goals = goals_of(model)
    walk = Stepwise(model, samples, goals, tmp_path)
    for goal in goals:
        (*_,) = walk.run(asked(goal), [])
        images = [a for held in walk._held.values() for a in held if a.ndim == 4]
        assert all(image.dtype == np.uint8 for image in images)
    assert walk._held == {}
