"""The versions that had a say in an artifact."""

from __future__ import annotations

import platform
import sys
from importlib import metadata

from edgeopt import __version__

_ALWAYS = ("numpy", "onnx", "onnx-ir", "onnxruntime")
_IF_USED = {"torch": "torch", "onnxscript": "onnxscript"}


def versions() -> dict[str, str]:
    """Versions of EdgeOpt, Python, and every package that took part in this process."""
    used = [name for module, name in _IF_USED.items() if module in sys.modules]
    found = {name: metadata.version(name) for name in (*_ALWAYS, *used)}
    return {"edgeopt": __version__, "python": platform.python_version(), **found}
