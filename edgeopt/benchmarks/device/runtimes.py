"""The runtimes that a model can be measured in, imported when one is asked for."""

from __future__ import annotations

from importlib import import_module
from typing import Any, Callable, Dict, List

import numpy as np

from .blocks import Run
from .failure import Failure

KNOWN = {
    "litert": (".litert_runner", "LiteRtSession"),
    "onnxruntime": (".onnxruntime_runner", "OnnxRuntimeSession"),
    "onnxruntime-cuda": (".onnxruntime_runner", "OnnxRuntimeCudaSession"),
    "onnxruntime-tensorrt": (".onnxruntime_runner", "OnnxRuntimeTensorRtSession"),
    "tensorrt": (".tensorrt_runner", "TensorRtSession"),
}
"""By the name in a request: the module, and its class of sessions."""


class Session:
    """What a runner gives: a loaded model."""

    def __call__(self, inputs: Dict[str, np.ndarray]) -> Dict[str, Any]:
        """Run once and give the outputs by name."""
        raise NotImplementedError

    def bind(self, inputs: Dict[str, np.ndarray]) -> Run:
        """Bind the inputs once and give the call that is timed."""
        raise NotImplementedError


class Runtime:
    """One runtime, imported.

    Args:
        name: Its name in a request, one of :data:`KNOWN`.

    Raises:
        Failure: If it isn't known here or isn't installed.
    """

    def __init__(self, name: str) -> None:
        if name not in KNOWN:
            raise Failure("runtime", "{!r} is not one of {}".format(name, sorted(KNOWN)))
        module, session = KNOWN[name]
        runner = import_module(module, __package__)
        self.name = name
        self.open: Callable[[str, int], Session] = getattr(runner, session)
        self.providers: List[str] = list(getattr(runner, session).PROVIDERS)
        try:
            self.version = str(runner.version())
        except ImportError as error:
            raise Failure("runtime", "{} is not installed here: {}".format(name, error)) from error

    def as_json(self) -> Dict[str, Any]:
        """The runtime as the result names it."""
        return {"name": self.name, "version": self.version, "providers": self.providers}
