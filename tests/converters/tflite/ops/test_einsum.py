"""Einsum as sums, transposes and a matrix product."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper

from edgeopt.converters.tflite.compiler import compile_bytes
from edgeopt.core.errors import UnsupportedError
from edgeopt.core.ir import ir

Save = Callable[..., Path]
SIZES = {"b": 1, "g": 2, "i": 3, "j": 4, "k": 5, "d": 6}


def graph(save_model: Save, equation: str, constants: dict[str, np.ndarray]) -> Path:
    left, right = equation.replace(" ", "").split("->")
    operands = left.split(",")

    def dims(letters: str) -> list[int | str]:
        return ["batch" if x == "b" else SIZES[x] for x in letters]

    names = [f"x{n}" for n in range(len(operands))]
    return save_model(
        [helper.make_node("Einsum", names, ["y"], "einsum", equation=equation)],
        [
            (name, TensorProto.FLOAT, dims(letters))
            for name, letters in zip(names, operands, strict=True)
            if name not in constants
        ],
        [("y", TensorProto.FLOAT, dims(right))],
        constants,
    )


@pytest.mark.parametrize(
    "equation",
    [
        "b g i d, b g j d -> b g i j",
        "bgij,bgjd->bgid",
        "bik,bjk->bkij",
        "bij,bkd->bdkji",
        "bijk->bki",
        "bgijk,bgjkd->bdig",
    ],
)
def test_it_gives_what_onnx_runtime_gives(
    save_model: Save,
    rng: np.random.Generator,
    both: Callable[..., tuple[list[np.ndarray], list[np.ndarray]]],
    equation: str,
) -> None:
    operands = equation.replace(" ", "").split("->")[0].split(",")
    inputs = {
        f"x{n}": rng.standard_normal([SIZES[x] for x in letters], np.float32)
        for n, letters in enumerate(operands)
    }
    (expected,), (found,) = both(graph(save_model, equation, {}), inputs)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


def test_constant_weights_become_a_fully_connected_layer(
    save_model: Save,
    rng: np.random.Generator,
    both: Callable[..., tuple[list[np.ndarray], list[np.ndarray]]],
) -> None:
    weight = rng.standard_normal((6, 3, 4), np.float32)
    path = graph(save_model, "bgd,dij->bgij", {"x1": weight})
    (expected,), (found,) = both(path, {"x0": rng.standard_normal((1, 2, 6), np.float32)})
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("equation", ["bii->bi", "bij,bjk->ik"])
def test_what_it_cannot_compose_is_refused(save_model: Save, equation: str) -> None:
    with pytest.raises(UnsupportedError, match="Einsum"):
        compile_bytes(ir.load(graph(save_model, equation, {})))
