"""LSTM, GRU and RNN, unrolled, beside ONNX Runtime: directions, lengths of state, any batch."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper

from edgeopt.converters.tflite.compiler import compile_bytes
from edgeopt.core.errors import UnsupportedError
from edgeopt.core.ir import ir

Save = Callable[..., Path]
STEPS, INPUTS, HIDDEN = 5, 3, 4
GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}


def recurrent_net(
    save_model: Save, rng: np.random.Generator, op: str, direction: str, **fields: Any
) -> Path:
    """(5, n, 3) to every step's output and the last state, from a state that is given."""
    directions, gates = (2 if direction == "bidirectional" else 1), GATES[op]

    def weights(*shape: int) -> np.ndarray:
        return (0.4 * rng.standard_normal((directions, *shape))).astype(np.float32)

    cells = ["c"] if op == "LSTM" else []
    outputs = ["y", "y_h", *(f"y_{name}" for name in cells)]
    node = helper.make_node(
        op, ["x", "w", "r", "b", "", "h", *cells], outputs, "layer",
        hidden_size=HIDDEN, direction=direction, **fields,
    )  # fmt: skip
    state = [directions, "n", HIDDEN]
    return save_model(
        [node],
        [("x", TensorProto.FLOAT, [STEPS, "n", INPUTS])]
        + [(name, TensorProto.FLOAT, state) for name in ("h", *cells)],
        [("y", TensorProto.FLOAT, [STEPS, directions, "n", HIDDEN])]
        + [(f"y_{name}", TensorProto.FLOAT, state) for name in ("h", *cells)],
        {
            "w": weights(gates * HIDDEN, INPUTS), "r": weights(gates * HIDDEN, HIDDEN),
            "b": weights(2 * gates * HIDDEN),
        },
    )  # fmt: skip


CASES = [
    *((op, direction, {}) for op in GATES for direction in ("forward", "reverse", "bidirectional")),
    ("GRU", "forward", {"linear_before_reset": 1}),
    ("RNN", "forward", {"activations": ["Relu"]}),
]


@pytest.mark.parametrize(("op", "direction", "fields"), CASES)
def test_it_gives_what_onnx_runtime_gives(
    save_model: Save, rng: np.random.Generator, litert: Callable[..., Any], op: str,
    direction: str, fields: dict[str, Any],
) -> None:  # fmt: skip
    path = recurrent_net(save_model, rng, op, direction, **fields)
    model = ir.load(path)
    inputs = {}
    for value in model.graph.inputs:  # the batch isn't the first axis here, and so is fixed
        shape = [d if isinstance(d, int) else 2 for d in value.shape or ()]
        value.shape = ir.Shape(shape)
        inputs[value.name or ""] = rng.standard_normal(shape).astype(np.float32)
    session = ort.InferenceSession(str(path))
    expected = session.run(None, inputs)
    found = litert(compile_bytes(model)).get_signature_runner()(**inputs)
    for output, wanted in zip(session.get_outputs(), expected, strict=True):
        np.testing.assert_allclose(found[output.name], wanted, rtol=1e-4, atol=1e-5)


def test_a_batch_that_is_not_the_first_axis_must_be_fixed(
    save_model: Save, rng: np.random.Generator
) -> None:
    path = recurrent_net(save_model, rng, "LSTM", "forward")
    with pytest.raises(UnsupportedError, match="dimension 1 of input 'x'") as told:
        compile_bytes(ir.load(path))
    assert "--input" in told.value.hint
