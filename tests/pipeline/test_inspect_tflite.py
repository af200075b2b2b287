"""Inspecting .tflite files, ours and others'."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import edgeopt
from edgeopt.core.errors import ModelError
from edgeopt.core.manifest import manifest_path
from edgeopt.pipeline.inspection.records import ManifestState


@pytest.fixture
def int8(conv_net: Path, conv_data: Path, tmp_path: Path) -> Path:
    made = edgeopt.convert(
        conv_net, to="tflite", precision="int8", calibration=conv_data, effort="fast",
        output=tmp_path / "out",
    )  # fmt: skip
    return Path(made.artifacts[0].path)


def test_scales_are_read_back_and_equal_the_manifest_s(int8: Path) -> None:
    found = edgeopt.inspect(int8)
    assert found.encodings_match
    assert found.warnings == ()
    assert found.manifest is not None
    assert {e.tensor for e in found.manifest.encodings} == {e.tensor for e in found.encodings}
    assert found.delegation is not None
    assert (found.delegation.partitions, found.delegation.outside) == (1, ())
    arithmetic = {layer.op: layer.arithmetic for layer in found.layers}
    assert arithmetic["CONV_2D"] == arithmetic["DEPTHWISE_CONV_2D"] == "integer"


def test_scales_that_differ_are_told(int8: Path) -> None:
    beside = manifest_path(int8)
    manifest = json.loads(beside.read_text(encoding="utf-8"))
    manifest["encodings"][0]["scale"][0] *= 2
    beside.write_text(json.dumps(manifest), encoding="utf-8")
    found = edgeopt.inspect(int8)
    assert found.encodings_match is False
    tensor = manifest["encodings"][0]["tensor"]
    assert any(f"the file's scales differ from the manifest's for '{tensor}'" in w
               for w in found.warnings)  # fmt: skip


def test_somebody_s_file_has_no_manifest(tflite_net: Path) -> None:
    found = edgeopt.inspect(tflite_net)
    assert found.manifest_state is ManifestState.ABSENT
    assert [str(spec) for spec in found.inputs] == ["image:float32[batch,8,8,3]"]
    # The kernels and biases of two convolutions (one has none: zeros), the matrix and its bias.
    weights = 8 * 27 + 8 + 8 * 9 + 8 + 5 * 8 + 5
    assert found.parameters == weights
    assert found.signatures == ("serving_default",)
    assert found.delegation is not None
    assert found.delegation.partitions == 1


def test_an_operator_that_litert_lacks_is_a_warning(custom_tflite: Path) -> None:
    found = edgeopt.inspect(custom_tflite)
    assert found.ops == {"FancyOp": 1}
    assert found.delegation is None
    assert any("LiteRT lacks its operator FancyOp" in w for w in found.warnings)


def test_a_file_that_makes_litert_abort_is_one_line(aborting_tflite: Path) -> None:
    with pytest.raises(ModelError, match=r"aborting\.tflite: the runtime crashed on it") as told:
        edgeopt.inspect(aborting_tflite)
    assert "\n" not in str(told.value)


def test_a_truncated_file_is_one_line(tflite_net: Path) -> None:
    content = tflite_net.read_bytes()
    for kept in np.linspace(0, len(content) - 1, 7, dtype=int):
        tflite_net.write_bytes(content[:kept])
        with pytest.raises(ModelError, match=r"conv_net\.tflite: ") as told:
            edgeopt.inspect(tflite_net)
        assert "\n" not in str(told.value)
