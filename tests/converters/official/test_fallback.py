"""Where our compiler lacks an operator of a TensorFlow model: their float graph, our ranges."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import edgeopt
from edgeopt.core.errors import UnsupportedError
from edgeopt.core.manifest import Manifest


def range_of(manifest: Manifest, tensor: str) -> tuple[float, float]:
    """The range of a tensor, or of what a QUANTIZE made of it."""
    (found,) = (e for e in manifest.encodings if e.tensor in (tensor, f"{tensor}_quantized"))
    return found.low, found.high


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
    wanted = range_of(onnx, "image")
    assert range_of(integer, "serving_default_image:0") == pytest.approx(wanted, rel=0.01)
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


def test_what_the_way_round_does_not_have_is_refused_before_any_work(
    beyond: Any, images: Path, tmp_path: Path
) -> None:
    for options, told in (
        ({"precision": "int4-weight"}, "there is: fp32, fp16, int8"),
        ({"precision": "int8", "keep_float": "scores*"}, "without --keep-float"),
    ):
        with pytest.raises(UnsupportedError, match=f"Unique.*{told}"):
            edgeopt.convert(
                beyond, to="tflite", calibration=images, output=tmp_path / "out", **options
            )
        assert not (tmp_path / "out").exists()
