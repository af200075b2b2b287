"""``--via litert-torch``: the whole of it only where it is installed, its absence everywhere."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest

import edgeopt
from edgeopt.core.errors import MissingExtraError


@pytest.mark.skipif(find_spec("litert_torch") is not None, reason="litert-torch is installed")
def test_its_absence_is_one_line(example: Path, tmp_path: Path) -> None:
    with pytest.raises(MissingExtraError, match=r"pip install 'edgeopt\[litert-torch\]'"):
        edgeopt.convert(
            example / "model.pt2", to="tflite", via="litert-torch", output=tmp_path / "out"
        )
    assert not (tmp_path / "out").exists()


@pytest.mark.litert_torch
@pytest.mark.parametrize("layout", ["nchw", "nhwc"])
def test_every_precision_is_verified(example: Path, tmp_path: Path, layout: str) -> None:
    pytest.importorskip("litert_torch")
    made = edgeopt.convert(
        example / "model.pt2",
        to="tflite",
        via="litert-torch",
        precision="fp32,fp16,int8,int8-dynamic,int8-weight",
        calibration=example / "calibration.npz",
        layout=layout,
        output=tmp_path / "out",
    )
    for artifact in made.artifacts:
        assert artifact.manifest.official is not None
        assert artifact.manifest.official.converter == "litert-torch"
        assert artifact.manifest.verification is not None
        assert artifact.manifest.verification.passed
    int8 = made.artifacts[2].manifest
    assert int8.official is not None
    assert int8.official.ranges == "ai-edge-quantizer"
    assert int8.integer_layers
