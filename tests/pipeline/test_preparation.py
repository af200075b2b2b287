"""What every command begins with."""

from __future__ import annotations

from pathlib import Path

from edgeopt.pipeline.given import GivenModel
from edgeopt.pipeline.preparation import Preparation


def test_nothing_stays_but_the_float_graph_and_its_weights(conv_net: Path, tmp_path: Path) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    graph = Preparation(GivenModel(str(conv_net)), scratch).graph
    assert {p.name for p in scratch.iterdir()} == {"float.onnx", "float.onnx.data"}
    assert graph.path == scratch / "float.onnx"
