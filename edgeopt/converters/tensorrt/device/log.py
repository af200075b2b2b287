"""TensorRT's log: what went wrong, and what became of each layer."""

from __future__ import annotations

from typing import Any, List

MARK = "LayerType: "
"""A message that holds it lists the engine's layers, one a line."""


def recorder(trt: Any) -> Any:
    """A logger that keeps the errors and the lines that describe layers.

    Args:
        trt: TensorRT's module. Its loggers derive from a class of its own, whose constructor must
            be called.
    """
    complaining = (trt.ILogger.INTERNAL_ERROR, trt.ILogger.ERROR)

    class Recorder(trt.ILogger):  # type: ignore[misc]
        def __init__(self) -> None:
            trt.ILogger.__init__(self)
            self.errors: List[str] = []
            self.layers: List[str] = []

        def log(self, severity: Any, message: str) -> None:
            if severity in complaining:
                self.errors.append(message)
            elif MARK in message:
                self.layers = [line for line in message.splitlines() if MARK in line]

    return Recorder()
