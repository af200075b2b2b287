"""What the runtime makes of an artifact, told from what was meant."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from edgeopt.converters.onnx.fusion import Fusion, check_fusion
from edgeopt.core.ir import ir
from edgeopt.core.manifest import FloatLayer
from edgeopt.pipeline.making import Artifact

Make = Callable[..., Artifact]


@pytest.fixture
def artifact(conv_net: Path, conv_data: Path, make: Make) -> Path:
    return Path(make(conv_net, calibration=conv_data).path)


def planned(*layers: tuple[str, str]) -> list[ir.Node]:
    return [ir.node(op, [None, None], name=name) for name, op in layers]


ALL = (("conv1", "Conv"), ("depthwise", "Conv"), ("head", "Gemm"))


def test_what_was_planned_and_became_integer(artifact: Path, tmp_path: Path) -> None:
    found = check_fusion(artifact, planned(*ALL), tmp_path)
    assert found == Fusion(3)
    assert found.warnings == ()
    assert not (tmp_path / "optimized.onnx").exists()


def test_a_node_that_is_not_there_has_become_part_of_another(
    artifact: Path, tmp_path: Path
) -> None:
    found = check_fusion(artifact, planned(*ALL, ("gone", "Conv")), tmp_path)
    assert found.stayed == (
        FloatLayer(node="gone", op="Conv", reason="ONNX Runtime runs it as part of another node"),
    )
    assert found.warnings == (
        "1 of 4 layers planned as integer run in float: see `edgeopt inspect`",
    )


def test_what_nobody_planned_is_named(artifact: Path, tmp_path: Path) -> None:
    found = check_fusion(artifact, planned(ALL[0]), tmp_path, frozenset({"residual"}))
    assert found.unplanned == (
        "QLinearConv 'depthwise'", "QLinearAdd 'residual'", "QGemm 'head'",
    )  # fmt: skip
    (warning,) = found.warnings
    assert "makes integers of what was to stay float: QLinearConv 'depthwise'" in warning
