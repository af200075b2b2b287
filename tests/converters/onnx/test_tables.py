"""Embedding tables: rows at 8 bits, looked up and made float again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

import edgeopt
from edgeopt.pipeline.making import Artifact

Make = Callable[..., Artifact]
Outputs = Callable[..., list[np.ndarray]]
Save = Callable[..., Path]


@pytest.fixture
def lookup(save_model: Save, rng: np.random.Generator) -> Callable[..., Path]:
    """A table, looked up and multiplied."""

    def lookup(rows: int, axis: int = 0) -> Path:
        table = rng.standard_normal((rows, 32)).astype(np.float32)
        table *= rng.uniform(0.1, 10, (rows, 1)).astype(np.float32)
        shape = ["n", 4, 32] if axis == 0 else [rows, "n", 4]
        width = 32 if axis == 0 else 4
        return save_model(
            [
                helper.make_node("Gather", ["table", "ids"], ["x"], "embed", axis=axis),
                helper.make_node("MatMul", ["x", "w"], ["y"], "product"),
                helper.make_node("Identity", ["x"], ["rows"], "copy"),
            ],
            [("ids", TensorProto.INT64, ["n", 4])],
            [
                ("y", TensorProto.FLOAT, [*shape[:2], 8]),
                ("rows", TensorProto.FLOAT, shape),
            ],
            {"table": table, "w": rng.standard_normal((width, 8)).astype(np.float32)},
        )

    return lookup


@pytest.mark.parametrize("precision", ["int8-dynamic", "int8-weight", "int4-weight"])
def test_rows_come_back_within_half_a_step(
    lookup: Callable[..., Path], make: Make, outputs: Outputs, precision: str
) -> None:
    path = lookup(600)
    artifact = make(path, precision)
    encoding = next(e for e in artifact.manifest.encodings if e.tensor == "table")
    assert (encoding.axis, len(encoding.scale)) == (0, 600)
    ids = np.arange(600).reshape(150, 4)
    wanted = outputs(path, {"ids": ids})[1].reshape(600, 32)
    found = outputs(artifact.path, {"ids": ids})[1].reshape(600, 32)
    scale = np.array(encoding.scale)[:, None]
    assert (np.abs(found - wanted) <= 0.5001 * scale).all()
    np.testing.assert_allclose(scale[:, 0], np.abs(wanted).max(1) / 127, rtol=1e-6)
    stored = {t.name: numpy_helper.to_array(t) for t in onnx.load(artifact.path).graph.initializer}
    assert stored["table_quantized"].dtype == np.int8
    assert not any(a.dtype == np.float32 and a.size == 600 * 32 for a in stored.values())


@pytest.mark.parametrize(
    ("rows", "axis", "options"), [(100, 0, {}), (600, 1, {}), (600, 0, {"keep_float": "embed"})]
)
def test_small_tables_other_axes_and_what_is_kept_stay(
    lookup: Callable[..., Path], make: Make, rows: int, axis: int, options: dict[str, str]
) -> None:
    artifact = make(lookup(rows, axis), "int8-dynamic", **options)
    assert "table" not in {e.tensor for e in artifact.manifest.encodings}


@pytest.mark.parametrize("precision", ["int8", "int8-dynamic"])
@pytest.mark.parametrize("fmt", ["onnx", "tflite"])
def test_an_integer_artifact_of_either_format_keeps_no_float_table(
    lookup: Callable[..., Path], tmp_path: Path, fmt: str, precision: str
) -> None:
    pytest.importorskip("ai_edge_litert")
    data = tmp_path / "data.npz"
    np.savez(data, ids=np.random.default_rng(0).integers(0, 600, (32, 4)))
    result = edgeopt.convert(
        lookup(600), to=fmt, precision=precision, calibration=data, output=tmp_path / "out"
    )
    (artifact,) = result.artifacts
    assert Path(artifact.path).stat().st_size < 600 * 32 * 2
    found = edgeopt.inspect(artifact.path)
    assert found.encodings_match
    table = next(e for e in found.encodings if e.tensor == "table")
    assert (table.dtype, table.axis, len(table.scale)) == ("int8", 0, 600)
    verified = artifact.manifest.verification
    assert verified is not None
    assert verified.worst.sqnr_db is not None
    assert verified.worst.sqnr_db > 30
