"""ONNX's own tests of its operators, compiled and run in LiteRT, as the reference counts them."""

from __future__ import annotations

import re
from pathlib import Path

import onnx
import pytest

from tests.beside import comparisons

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "tflite-operators.md"


@pytest.mark.slow
def test_none_is_wrong_and_as_many_pass_as_the_reference_says() -> None:
    with comparisons("tflite_node_tests") as modules:
        node_tests = modules["tflite_node_tests"]
        found = list(node_tests.outcomes())
        counted, rows = node_tests.sums(found), node_tests.by_operator(found)
    assert not [each for each in found if each.verdict == "wrong"]
    text = PAGE.read_text(encoding="utf-8")
    section = re.search(r"tflite_node_tests: begin -->\n(.*?)\n\n(.*?)\n\n", text, re.DOTALL)
    assert section is not None
    if f"onnx {onnx.__version__}," in section[1]:
        assert section[1] == counted[0]
        assert section[2].splitlines() == rows
