"""``--via tensorflow``: TFLiteConverter throughout, with its own calibration."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import edgeopt


def test_every_precision_is_verified(within: Any, images: Path, tmp_path: Path) -> None:
    made = edgeopt.convert(
        within,
        to="tflite",
        precision="fp32,fp16,int8,int8-dynamic,int16x8",
        calibration=images,
        via="tensorflow",
        output=tmp_path / "out",
    )
    assert not any("TFLiteConverter" in w for w in made.warnings)
    for artifact in made.artifacts:
        manifest = artifact.manifest
        assert manifest.recipe.via == "tensorflow"
        assert manifest.recipe.ranges is None
        assert manifest.official is not None
        assert manifest.official.converter == "TFLiteConverter"
        assert manifest.verification is not None
        assert manifest.verification.passed
        assert bool(manifest.calibration) == (manifest.official.ranges is not None)
        assert edgeopt.inspect(artifact.path).encodings_match
    int8 = made.artifacts[2].manifest
    assert (int8.integer_layers, int8.official.ranges) == (4, "TFLiteConverter")  # type: ignore[union-attr]
    assert int8.calibration[0].used == (0, 36)


def test_outputs_keep_their_order_and_io_is_integers(
    beyond: Any, images: Path, tmp_path: Path
) -> None:
    made = edgeopt.convert(
        beyond, to="tflite", via="tensorflow", precision="int8", io="int8",
        calibration=images, output=tmp_path / "out", min_sqnr=5,
    )  # fmt: skip
    found = edgeopt.inspect(made.artifacts[0].path)
    assert [str(i) for i in found.inputs] == ["image:int8[1,16,16,3]"]
    assert [o.name for o in found.outputs] == ["scores", "different"]
    checked = made.artifacts[0].manifest.verification
    assert checked is not None
    assert checked.outputs[0].sqnr_db is not None
    assert checked.outputs[0].sqnr_db > 20


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"to": "onnx"}, "makes TFLite artifacts, and none is asked for"),
        ({"precision": "int4-weight"}, "no int4-weight TFLite by way of TFLiteConverter"),
        ({"precision": "int8", "keep_float": "a"}, "EdgeOpt's own, not TFLiteConverter's"),
        ({"via": "litert"}, "did you mean litert-torch"),
    ],
)
def test_what_does_not_go_together(
    within: Any, images: Path, tmp_path: Path, options: dict[str, Any], told: str
) -> None:
    given: dict[str, Any] = {"to": "tflite", "via": "tensorflow", "calibration": images} | options
    with pytest.raises(edgeopt.EdgeOptError, match=told):
        edgeopt.convert(within, output=tmp_path / "out", **given)
    assert not (tmp_path / "out").exists()


def test_a_model_that_it_does_not_take(conv_net: Path, tmp_path: Path) -> None:
    with pytest.raises(edgeopt.EdgeOptError, match="takes Keras and TensorFlow models, not"):
        edgeopt.convert(conv_net, to="tflite", via="tensorflow", output=tmp_path / "out")
    assert not (tmp_path / "out").exists()
