"""TensorFlow operators that ONNX has, and that tf2onnx has no form of, or a worse one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

Handler = tuple[Callable[..., None], list[Any]]


def _erfc(ctx: Any, node: Any, name: str, _args: Any) -> None:
    """``erfc(x) = 1 - erf(x)``; of a negated x, which a GELU has: ``1 + erf(-x)``."""
    dtype, shape = ctx.get_dtype(node.output[0]), ctx.get_shape(node.output[0])
    one = ctx.make_const(f"{name}_one", np.ones((), np.float32)).output[0]
    negated = node.inputs[0].type == "Neg"
    source = node.inputs[0].input[0] if negated else node.input[0]
    ctx.remove_node(name)
    erf = ctx.make_node("Erf", [source], dtypes=[dtype], shapes=[shape])
    operator, operands = ("Add", [erf.output[0], one]) if negated else ("Sub", [one, erf.output[0]])
    ctx.make_node(
        operator, operands, name=name, outputs=[node.output[0]], dtypes=[dtype], shapes=[shape]
    )


def _select(_ctx: Any, node: Any, _name: str, _args: Any) -> None:
    """Where; tf2onnx multiplies by 0 and 1: six nodes, and NaN beside what is infinite."""
    node.type = "Where"


HANDLERS: Mapping[str, Handler] = {"Erfc": (_erfc, []), "SelectV2": (_select, [])}
"""By TensorFlow's name, as tf2onnx takes them."""
