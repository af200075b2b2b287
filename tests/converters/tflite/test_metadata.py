"""The preprocessing contract in the file, where Android's libraries look for it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import edgeopt
from edgeopt.core.preprocessing import Preprocessing
from edgeopt.core.tflite_file import read_tflite
from edgeopt.core.tflite_metadata import NAME

CONTRACT = Preprocessing(
    resize=10, crop=8, scale=1 / 255, mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225)
)
Convert = Callable[..., Path]


@pytest.fixture
def converted(conv_net: Path, tmp_path: Path) -> Convert:
    def convert(contract: Preprocessing | None, **options: Any) -> Path:
        made = edgeopt.convert(
            conv_net, to="tflite", preprocess=contract, output=tmp_path / "out", **options
        )
        return Path(made.artifacts[0].path)

    return convert


def metadata(path: Path) -> bytes:
    """The metadata's own flatbuffer."""
    from ai_edge_litert import schema_py_generated as schema

    model = schema.Model.GetRootAs(path.read_bytes(), 0)
    said = [model.Metadata(i) for i in range(model.MetadataLength())]
    (place,) = (one.Buffer() for one in said if one.Name().decode() == NAME)
    return bytes(model.Buffers(place).DataAsNumpy())


@pytest.mark.parametrize("layout", ["nchw", "nhwc"])
def test_it_tells_how_pixels_are_normalized(converted: Convert, layout: str) -> None:
    (said,) = read_tflite(converted(CONTRACT, layout=layout)).normalization
    assert (said.input, said.color) == ("image", "rgb")
    pixel = np.array([0.0, 100.0, 255.0])
    wanted = (pixel * CONTRACT.scale - CONTRACT.mean) / CONTRACT.std
    np.testing.assert_allclose((pixel - said.mean) / said.std, wanted, rtol=1e-5)


def test_inspect_tells_it(converted: Convert) -> None:
    found = edgeopt.inspect(converted(CONTRACT))
    assert found.normalization[0].mean == pytest.approx((123.675, 116.28, 103.53))
    assert NAME in found.metadata


def test_bgr_has_no_word_in_it(converted: Convert) -> None:
    path = converted(Preprocessing(color="bgr", mean=(127.5,), std=(127.5,)))
    (said,) = read_tflite(path).normalization
    assert (said.color, said.mean, said.std) == ("", (127.5,), (127.5,))
    assert b"bgr pixels" in metadata(path)


def test_without_a_contract_there_is_none(converted: Convert) -> None:
    file = read_tflite(converted(None))
    assert file.normalization == ()
    assert NAME not in file.metadata


def test_damaged_metadata_is_none(converted: Convert, tmp_path: Path) -> None:
    path = converted(CONTRACT)
    content, said = path.read_bytes(), metadata(path)
    start = content.index(said)
    for place in range(0, len(said), 7):
        damaged = bytearray(content)
        damaged[start + place] ^= 0xFF
        (tmp_path / "damaged.tflite").write_bytes(damaged)
        assert len(read_tflite(tmp_path / "damaged.tflite").normalization) <= 1
