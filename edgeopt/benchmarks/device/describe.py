"""What this device is and has, without measuring: for a profile of it. Needs no package."""

from __future__ import annotations

import json
import os
from functools import partial
from typing import Any, Dict

from .kind import kind
from .machine import machine
from .sensors import reading

ANSWER = "device.json"

PACKAGES = ("numpy", "onnxruntime", "ai-edge-litert", "tflite-runtime", "tensorrt")


def main(program: str) -> int:
    """Write ``device.json`` beside the program."""
    path = os.path.join(os.path.dirname(os.path.abspath(program)), ANSWER)
    with open(path, "w", encoding="utf-8") as file:
        json.dump(describe(), file)
    return 0


def describe() -> Dict[str, Any]:
    """``kind``, ``machine``, and ``packages``: of each, a reading of its version."""
    packages = {name: reading(partial(_version, name)) for name in PACKAGES}
    return {"kind": kind(), "machine": machine(), "packages": packages}


def _version(package: str) -> str:
    from importlib import metadata

    return metadata.version(package)
