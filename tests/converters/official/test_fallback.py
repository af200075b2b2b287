"""Where our compiler lacks an operator of a TensorFlow model: their float graph, our ranges."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

import edgeopt
from edgeopt.core.errors import UnsupportedError
from edgeopt.core.manifest import Manifest


def ranges_of(manifest: Manifest, ending: str) -> list[tuple[float, float]]:
    """The ranges of tensors whose name ends so; Keras counts the layers that there were before."""
    return [(e.low, e.high) for e in manifest.encodings if e.tensor.endswith(ending)]


def test_int8_takes_the_ranges_of_the_one_calibration(
    beyond: Any, images: Path, tmp_path: Path
) -> None:
    pytest.importorskip("ai_edge_quantizer")
    made = edgeopt.convert(
        beyond,
        to="onnx,tflite",
        precision="fp32,int8",
        calibration=images,
        output=tmp_path / "out",
        min_sqnr=5,  # the count is one of whole numbers: a step of it is much
    )
    onnx, floating, integer = (made.artifacts[n].manifest for n in (1, 2, 3))
    (note,) = (w for w in made.warnings if "TFLiteConverter" in w)
    assert note.startswith("TFLite by way of TFLiteConverter, any ranges EdgeOpt's: Unique ")
    assert floating.official is not None
    assert floating.official.reason.startswith("Unique ")
    assert floating.verification is not None
    assert min(o.sqnr_db or 999 for o in floating.verification.outputs) > 100
    official = integer.official
    assert official is not None
    assert (official.converter, official.ranges) == ("TFLiteConverter", "EdgeOpt")
    assert official.named >= 6
    assert [node.op for node in official.unknown] == ["ROUND", "CAST"]
    assert integer.integer_layers == 4
    for theirs, ours in (("/Add", "/Add:0"), ("/Mean", "/Mean:0"), ("_quantized", "transpose_1:0")):
        (wanted,) = ranges_of(onnx, ours)
        assert ranges_of(integer, theirs)[0] == pytest.approx(wanted, rel=1e-5)
    assert integer.verification is not None
    assert integer.verification.outputs[0].sqnr_db is not None
    assert integer.verification.outputs[0].sqnr_db > 25
    inspected = edgeopt.inspect(made.artifacts[3].path)
    assert inspected.encodings_match
    assert [o.name for o in inspected.outputs] == ["scores", "different"]


def test_the_other_precisions(beyond: Any, images: Path, tmp_path: Path) -> None:
    pytest.importorskip("ai_edge_quantizer")
    made = edgeopt.convert(
        beyond,
        to="tflite",
        precision="fp16,int8-dynamic,int8-weight,int16x8",
        calibration=images,
        output=tmp_path / "out",
        min_sqnr=5,
    )
    for artifact in made.artifacts:
        assert artifact.manifest.official is not None
        assert artifact.manifest.verification is not None
        scores = artifact.manifest.verification.outputs[0].sqnr_db
        assert scores is not None
        assert scores > 35


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"precision": "int4-weight"}, "there is: fp32, fp16, int8"),
        ({"precision": "int8", "keep_float": "scores*"}, "without --keep-float"),
    ],
)
def test_what_the_way_round_does_not_have_is_refused(
    beyond: Any, images: Path, tmp_path: Path, options: dict[str, Any], told: str
) -> None:
    with pytest.raises(UnsupportedError, match=f"Unique.*{told}"):
        edgeopt.convert(beyond, to="tflite", calibration=images, output=tmp_path / "out", **options)
    assert not (tmp_path / "out").exists()


def test_a_missing_quantizer_is_told_with_the_operator(
    beyond: Any, images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def spec(name: str) -> object:
        return None if name == "ai_edge_quantizer" else find_spec(name)

    monkeypatch.setattr("edgeopt.converters.registry.find_spec", spec)
    told = r"Unique.*pip install 'edgeopt\[quantizer\]', and it goes by way of TFLiteConverter"
    with pytest.raises(UnsupportedError, match=told):
        edgeopt.convert(
            beyond, to="tflite", precision="int8", calibration=images, output=tmp_path / "out"
        )
    assert not (tmp_path / "out").exists()


@pytest.mark.usefixtures("within")
def test_an_open_dimension_is_the_users_to_close(tmp_path: Path) -> None:
    from edgeopt.converters.sources.tensorflow.framework import keras

    image = keras.Input((None, 16, 3), name="image")
    net = keras.Model(image, keras.layers.Conv2D(2, 3)(image), name="net")
    with pytest.raises(UnsupportedError, match="fix it with --input"):
        edgeopt.convert(net, to="tflite", output=tmp_path / "out")
