"""ONNX Runtime on the CPU, or on a GPU by one of its providers."""

from __future__ import annotations

import os
from functools import partial
from typing import Any, Dict, Tuple

import numpy as np

from .blocks import Run
from .failure import Failure

_ERRORS_ONLY = 3


def version() -> str:
    """The runtime's version."""
    return str(_onnxruntime().__version__)


def _onnxruntime() -> Any:
    # From 1.29 on the official builds report each model's name, digests and graph to their maker,
    # from a thread of their own: no part of a measurement, and the user's own affair. The variable
    # counts everywhere but on Windows, and only before the first import.
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    import onnxruntime

    onnxruntime.disable_telemetry_events()
    return onnxruntime


class OnnxRuntimeSession:
    """A model loaded by ONNX Runtime, ready to be called.

    Args:
        path: The ``.onnx`` file.
        threads: Threads within an operator; 0 lets the runtime take every core. Operators run one
            after another.

    Raises:
        Exception: What ONNX Runtime raises when it can't read or run the model.
        Failure: If it has fallen back to the CPU.
    """

    PROVIDERS: Tuple[str, ...] = ("CPUExecutionProvider",)

    def __init__(self, path: str, threads: int) -> None:
        onnxruntime = _onnxruntime()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = _ERRORS_ONLY
        self._session: Any = onnxruntime.InferenceSession(
            path, options, providers=list(self.PROVIDERS)
        )
        self._check_provider()
        self.outputs = [output.name for output in self._session.get_outputs()]

    def _check_provider(self) -> None:
        """Refuse a session on another provider: ONNX Runtime takes the CPU without a word.

        It lists providers as available whose libraries aren't there.
        """
        used = self._session.get_providers()
        if used[0] != self.PROVIDERS[0]:
            raise Failure(
                "runtime",
                "ONNX Runtime can't use its {} here and fell back to {}: install onnxruntime-gpu "
                "with CUDA and what the provider needs".format(self.PROVIDERS[0], used[0]),
            )

    def __call__(self, inputs: Dict[str, np.ndarray]) -> Dict[str, Any]:
        """Run once and give the outputs by name."""
        return dict(zip(self.outputs, self._session.run(self.outputs, inputs)))

    def bind(self, inputs: Dict[str, np.ndarray]) -> Run:
        """Put the inputs where the runtime reads them, once, and give the call that is timed.

        IO binding costs about 3.5 us a call where ``run`` costs 5.3. It holds tensors of numbers
        only, so a model with other inputs or outputs (text, sequences, maps) goes without.
        """
        ends = self._session.get_inputs() + self._session.get_outputs()
        if not all(end.type.startswith("tensor(") for end in ends) or _has_text(ends):
            return partial(self._session.run, self.outputs, inputs)
        binding = self._session.io_binding()
        for name, array in inputs.items():
            binding.bind_cpu_input(name, np.ascontiguousarray(array))
        for name in self.outputs:
            binding.bind_output(name)
        return partial(self._session.run_with_iobinding, binding)


class OnnxRuntimeCudaSession(OnnxRuntimeSession):
    """The same on a GPU, by CUDA's kernels."""

    PROVIDERS = ("CUDAExecutionProvider",)


class OnnxRuntimeTensorRtSession(OnnxRuntimeSession):
    """The same on a GPU, by engines that TensorRT builds when the model is loaded."""

    PROVIDERS = ("TensorrtExecutionProvider", "CUDAExecutionProvider")


def _has_text(ends: Any) -> bool:
    return any(end.type == "tensor(string)" for end in ends)
