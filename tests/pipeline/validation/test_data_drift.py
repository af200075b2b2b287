"""Whether values are distributed as those of a calibration table."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest

import edgeopt
from edgeopt.core.errors import DataError
from edgeopt.pipeline.validation.records import Level
from tests.pipeline.validation.findings import Save, bad, finding


def test_drift_beside_a_calibration_table(
    conv_net: Path, conv_data: Path, tmp_path: Path, save: Save, images: np.ndarray
) -> None:
    table = tmp_path / "t.npz"
    edgeopt.calibrate(conv_net, conv_data, output=table)
    found = edgeopt.validate_data(save(image=images), table=table)
    assert finding(found, "drift (image)").level is Level.PASS
    found = edgeopt.validate_data(save(image=images + 1), table=table)
    assert finding(found, "drift (image)").level is Level.FAIL
    assert 0.7 < finding(found, "drift (image)").figures["psi"] < 1.3  # a shift of one deviation
    assert finding(edgeopt.validate_data(conv_data, table=table), "drift (image)").figures == {
        "psi": 0, "ks": 0, "psi_of_halves": pytest.approx(0, abs=0.05),
    }  # fmt: skip


@pytest.fixture
def normalizing_net(conv_net: Path, tmp_path: Path) -> Path:
    """``conv_net`` behind what its weights can't hold: a table has no values of its input."""
    model = onnx.load(conv_net)
    model.graph.node[0].input[0] = "scaled"
    divided = onnx.helper.make_node("Div", ["image", "most"], ["divided"], "divide")
    scaled = onnx.helper.make_node("Abs", ["divided"], ["scaled"], "scale")
    model.graph.node.insert(0, scaled)
    model.graph.node.insert(0, divided)
    model.graph.initializer.append(onnx.numpy_helper.from_array(np.float32(255), "most"))
    onnx.save(model, tmp_path / "normalizing.onnx")
    return tmp_path / "normalizing.onnx"


def test_drift_of_what_a_model_makes_of_its_input(
    normalizing_net: Path, tmp_path: Path, save: Save, rng: np.random.Generator
) -> None:
    pixels = rng.integers(0, 200, (150, 3, 8, 8)).astype(np.uint8)
    table = tmp_path / "t.npz"
    edgeopt.calibrate(normalizing_net, save("c.npz", image=pixels[:130]), output=table)
    alone = edgeopt.validate_data(save(image=pixels[20:]), table=table)
    assert finding(alone, "drift (image)").level is Level.SKIPPED
    found = edgeopt.validate_data(save(image=pixels[20:]), model=normalizing_net, table=table)
    assert finding(found, "drift (scaled)").level is Level.PASS
    assert bad(found) == []
    bright = edgeopt.validate_data(save(image=pixels + 55), model=normalizing_net, table=table)
    assert finding(bright, "drift (scaled)").level is Level.FAIL
    assert "at most 1% beyond 0 to 0.78" in finding(bright, "outside (scaled)").limit
    assert finding(bright, "outside (scaled)").level is Level.FAIL


def test_samples_that_do_not_fit_have_no_say_in_drift(
    normalizing_net: Path, tmp_path: Path, save: Save, images: np.ndarray
) -> None:
    table = tmp_path / "t.npz"
    edgeopt.calibrate(normalizing_net, save(image=images), output=table)
    images[::7] = np.nan
    found = edgeopt.validate_data(save(image=images), model=normalizing_net, table=table)
    assert bad(found) == ["finite (image)", "duplicates"]
    assert finding(found, "drift (scaled)").level is Level.PASS


def test_padding_tokens_are_no_drift(
    save_model: Save, tmp_path: Path, save: Save, rng: np.random.Generator
) -> None:
    embedding = rng.standard_normal((50, 8)).astype(np.float32)
    nodes = [
        onnx.helper.make_node("Gather", ["table", "ids"], ["tokens"], "embed"),
        onnx.helper.make_node("MatMul", ["tokens", "w"], ["products"], "project"),
        onnx.helper.make_node("Cast", ["attention_mask"], ["mask"], to=1),
        onnx.helper.make_node("Unsqueeze", ["mask", "last"], ["column"]),
        onnx.helper.make_node("Mul", ["products", "column"], ["masked"]),
        onnx.helper.make_node("ReduceMean", ["masked", "one"], ["scores"], keepdims=0),
    ]
    net = save_model(
        nodes,
        [("ids", 7, ["n", 16]), ("attention_mask", 7, ["n", 16])],
        [("scores", 1, ["n", 4])],
        {"table": embedding, "w": embedding[:8, :4], "last": np.array([2]), "one": np.array([1])},
    )

    def texts(length: int, words: int = 50) -> dict[str, np.ndarray]:
        ids = rng.integers(1, words, (200, 16))
        ids[:, length:] = 0
        mask = np.zeros((200, 16), np.int64)
        mask[:, :length] = 1
        return {"ids": ids, "attention_mask": mask}

    table = tmp_path / "t.npz"
    edgeopt.calibrate(net, save("c.npz", **texts(12)), output=table)
    shorter = edgeopt.validate_data(save(**texts(4)), model=net, table=table, max_duplicates=1)
    assert finding(shorter, "drift (tokens)").figures["psi"] < 0.05
    others = edgeopt.validate_data(save(**texts(12, words=4)), model=net, table=table)
    assert finding(others, "drift (tokens)").level is not Level.PASS


def test_the_table_of_another_model(
    conv_net: Path, normalizing_net: Path, conv_data: Path, tmp_path: Path
) -> None:
    edgeopt.calibrate(conv_net, conv_data, output=tmp_path / "t.npz")
    with pytest.raises(DataError, match="was not made from the float graph of the model"):
        edgeopt.validate_data(conv_data, model=normalizing_net, table=tmp_path / "t.npz")


def test_values_that_float16_cannot_tell_apart_are_not_compared(
    save: Save, images: np.ndarray
) -> None:
    data, other = save("c.npz", image=images * 1e9), save("t.npz", image=images * 3e9 + 1)
    one = finding(edgeopt.validate_data(data, evaluation=other), "drift (evaluation: image)")
    assert (one.level, "beyond 65,504" in one.why) == (Level.SKIPPED, True)
