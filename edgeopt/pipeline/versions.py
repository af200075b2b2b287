"""The versions that had a say in an artifact."""

from __future__ import annotations

import platform
import sys
from contextlib import suppress
from importlib import metadata

from edgeopt.core.precision import Format
from edgeopt.core.version import __version__

_ALWAYS = ("numpy", "onnx", "onnx-ir", "onnxruntime")
_IF_USED = {
    "torch": ("torch",),
    "onnxscript": ("onnxscript",),
    "tensorflow": ("tensorflow", "tensorflow-cpu", "tensorflow-macos"),
    "keras": ("keras",),
    "tf2onnx": ("tf2onnx",),
}
"""Packages by module, each by the names it is distributed under."""
_OF_FORMAT = {Format.TFLITE: ("ai-edge-litert", "flatbuffers")}


def versions(fmt: Format | None = None) -> dict[str, str]:
    """Versions of EdgeOpt, Python, and every package that took part in making an artifact."""
    used = [_installed(names) for module, names in _IF_USED.items() if module in sys.modules]
    needed = _OF_FORMAT.get(fmt, ()) if fmt is not None else ()
    found = {name: metadata.version(name) for name in (*_ALWAYS, *filter(None, used), *needed)}
    return {"edgeopt": __version__, "python": platform.python_version(), **found}


def _installed(names: tuple[str, ...]) -> str | None:
    for name in names:
        with suppress(metadata.PackageNotFoundError):
            metadata.version(name)
            return name
    return None
