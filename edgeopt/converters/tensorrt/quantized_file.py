"""ONNX files that are quantized already, which no conversion starts from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from edgeopt.core.ir import ir

_OPS = frozenset({"QuantizeLinear", "DequantizeLinear", "QLinearConv", "QLinearMatMul"})


def quantized_file(model: Any) -> Path | None:
    """The path of an ONNX file with quantized nodes; None for anything else."""
    path = Path(model) if isinstance(model, (str, Path)) else None
    if path is None or path.suffix.lower() != ".onnx" or not path.is_file():
        return None
    try:
        graph = ir.load(path).graph
    except Exception:  # noqa: BLE001 - whoever opens it as a source says what is wrong with it
        return None
    return path if any(node.op_type in _OPS for node in graph) else None
