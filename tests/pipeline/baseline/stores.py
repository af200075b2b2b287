"""Baselines to save, and what is in a store."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
from onnx import TensorProto, helper

Save = Callable[..., Path]
FEW: dict[str, Any] = {"duration": 0.02, "max_processes": 2, "min_sqnr": 20.0}


def make(save_model: Save, name: str, factor: float = 1.0) -> Path:
    return save_model(
        [helper.make_node("MatMul", ["x", "w"], ["y"])],
        [("x", TensorProto.FLOAT, [1, 64])],
        [("y", TensorProto.FLOAT, [1, 64])],
        {"w": factor * np.eye(64, dtype=np.float32)},
        name=name,
    )


def contents(store: str) -> dict[str, bytes]:
    """Every file of a store."""
    system, root = fsspec.core.url_to_fs(store)
    if not system.exists(root):
        return {}
    paths = system.find(root)
    return {path.removeprefix(root).lstrip("/"): system.cat_file(path) for path in paths}


def alter(store: str, key: str, data: bytes | None) -> None:
    system, root = fsspec.core.url_to_fs(store)
    if data is None:
        system.rm_file(f"{root}/{key}")
    else:
        system.pipe_file(f"{root}/{key}", data)
