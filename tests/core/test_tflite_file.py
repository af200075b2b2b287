"""Reading a .tflite without a runtime, whoever wrote it."""

from __future__ import annotations

import contextlib
import random
from pathlib import Path

import pytest

from edgeopt.core.errors import ModelError
from edgeopt.core.tflite_file import read_tflite


def test_what_it_says_of_itself(tflite_net: Path) -> None:
    file = read_tflite(tflite_net)
    assert [str(spec) for spec in file.ends(0)] == ["image:float32[batch,8,8,3]"]
    assert [str(spec) for spec in file.ends(1)] == ["scores:float32[batch,5]"]
    assert {op.code for op in file.operators} >= {"CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"}
    assert file.signatures == ("serving_default",)
    weights = {t.spec.name: t for t in file.tensors if t.constant and len(t.spec.shape) == 4}
    assert weights["w1"].spec.shape == (8, 3, 3, 3)


def test_a_custom_operator_has_its_own_name(custom_tflite: Path) -> None:
    (operator,) = read_tflite(custom_tflite).operators
    assert (operator.code, operator.custom) == ("FancyOp", True)


def test_damage_anywhere_is_one_error_of_ours(tflite_net: Path) -> None:
    content = tflite_net.read_bytes()
    drawn = random.Random(0)
    refused = 0
    for turn in range(300):
        damaged = bytearray(content)
        for _ in range(drawn.randint(1, 8)):
            damaged[drawn.randrange(len(damaged))] = drawn.randrange(256)
        if turn % 4 == 0:
            del damaged[drawn.randrange(len(damaged)) :]
        tflite_net.write_bytes(damaged)
        with contextlib.suppress(ModelError):  # anything else fails the test
            read_tflite(tflite_net)
            continue
        refused += 1
    assert refused > 50


@pytest.mark.parametrize("content", [b"", b"\x1c\0\0\0TFL3", b"onnx" * 100])
def test_what_is_no_model_at_all_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "model.tflite"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"model\.tflite: not a (valid )?TFLite file"):
        read_tflite(path)


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"gone\.tflite: can't be read: No such file"):
        read_tflite(tmp_path / "gone.tflite")
