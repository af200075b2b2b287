"""A diagnosis to draw."""

from __future__ import annotations

from pathlib import Path

import pytest

import edgeopt
from edgeopt.pipeline.diagnosis.records import DiagnosisResult


@pytest.fixture
def result(conv_net: Path, conv_data: Path, tmp_path: Path) -> DiagnosisResult:
    """Of ``conv_net`` as int8."""
    made = edgeopt.convert(
        conv_net, precision="fp32,int8", calibration=conv_data, output=tmp_path / "out"
    )
    return edgeopt.diagnose(made.artifacts[-1].path)
