"""ONNX Runtime on an x86 CPU without VNNI, whatever this machine's is.

Where this machine's kernels add two products in 16 bits they are asked themselves. Elsewhere QEMU
runs the same library as on a Haswell: it has AVX2, and so the runtime chooses those kernels.
"""

from __future__ import annotations

import os
import pickle
import shutil
import subprocess
import sys
from collections.abc import Callable

import numpy as np

Kernels = Callable[[bytes, np.ndarray], np.ndarray]
"""A model of one input and one output, and what it is fed with, to what comes out."""

QEMU = ("qemu-x86_64-static", "qemu-x86_64")

_SERVE = """
import pickle, sys
import onnxruntime as ort
while True:
    model, fed = pickle.load(sys.stdin.buffer)
    session = ort.InferenceSession(model, providers=["CPUExecutionProvider"])
    pickle.dump(session.run(None, {session.get_inputs()[0].name: fed})[0], sys.stdout.buffer)
    sys.stdout.flush()
"""


def haswell() -> list[str] | None:
    """What comes before a program's name to run it on a Haswell; None without QEMU."""
    found = [path for name in QEMU if (path := shutil.which(name))]
    return [found[0], "-cpu", "Haswell"] if found else None


def environment() -> dict[str, str]:
    """This one, where numpy's BLAS isn't told of a CPU that QEMU doesn't have."""
    return {k: v for k, v in os.environ.items() if not k.startswith("OPENBLAS_")}


def ours(model: bytes, fed: np.ndarray) -> np.ndarray:
    """What the model gives on this machine."""
    import onnxruntime as ort

    session = ort.InferenceSession(model, providers=["CPUExecutionProvider"])
    answer: np.ndarray = session.run(None, {session.get_inputs()[0].name: fed})[0]
    return answer


class Emulated:
    """A process on a Haswell that runs what it is sent."""

    def __init__(self, before: list[str]) -> None:
        self._process = subprocess.Popen(
            [*before, sys.executable, "-c", _SERVE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment(),
        )

    def __call__(self, model: bytes, fed: np.ndarray) -> np.ndarray:
        """What the model gives there."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        pickle.dump((model, fed), self._process.stdin)
        self._process.stdin.flush()
        answer: np.ndarray = pickle.load(self._process.stdout)
        return answer

    def end(self) -> None:
        """No more is asked."""
        self._process.kill()
        self._process.wait()
