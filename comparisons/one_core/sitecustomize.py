"""One thread for ONNX Runtime, in any Python process that has this folder on its PYTHONPATH.

ONNX Runtime starts one worker a core and pins it there by itself, past ``taskset``; most tools that
open sessions inside have no option for it. So every side of a comparison runs with this.
"""

from __future__ import annotations

import functools
import sys
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

MODULE = "onnxruntime.capi.onnxruntime_inference_collection"


def limit(module: ModuleType) -> None:
    """Give every session that is opened from now on one thread."""
    original = module.InferenceSession.__init__

    @functools.wraps(original)
    def start(self: Any, model: Any, sess_options: Any = None, *rest: Any, **named: Any) -> None:
        options = sess_options or module.C.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        original(self, model, options, *rest, **named)

    module.InferenceSession.__init__ = start


class Finder(MetaPathFinder):
    """Waits for the one module, so that a process without ONNX Runtime pays nothing."""

    def find_spec(
        self, name: str, path: Any = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The module's own spec, with the limit set once its code has run."""
        if name != MODULE:
            return None
        spec = PathFinder.find_spec(name, path, target)
        assert spec is not None
        loader: Any = spec.loader
        run = loader.exec_module

        def execute(module: ModuleType) -> None:
            run(module)
            limit(module)

        loader.exec_module = execute
        return spec


sys.meta_path.insert(0, Finder())
