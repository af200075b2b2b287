"""What the on-device program could not do, as the error a user reads."""

from __future__ import annotations

import signal
from collections.abc import Sequence

from edgeopt.benchmarks.messages import Failed
from edgeopt.core.complaints import lacking_operator, lacks_operator, reason
from edgeopt.core.errors import EdgeOptError, MeasurementError, ModelError, UnsupportedError
from edgeopt.core.precision import Format


def failed(failure: Failed, names: Sequence[str]) -> EdgeOptError:
    """The error for a failure that the program reported.

    Args:
        failure: What it reported.
        names: What each artifact is called in messages.

    Raises:
        RuntimeError: If the program complains about our own request: a bug.
    """
    name = ", ".join(names) if failure.artifact is None else names[failure.artifact]
    told = _readable(failure.reason)
    if failure.stage == "runtime":
        return MeasurementError(told, hint="`edgeopt doctor` shows what is installed")
    if failure.stage not in ("load", "run"):
        raise RuntimeError(f"the measuring program refused its {failure.stage}: {failure.reason}")
    if "MemoryError" in failure.reason or "bad_alloc" in failure.reason:
        return MeasurementError(
            f"{name}: not enough memory to {failure.stage} it",
            hint="free some, or measure a smaller batch with --batch",
        )
    if name.lower().endswith(Format.TFLITE.suffix):
        return _litert(failure, name, told)
    if name.lower().endswith(Format.TENSORRT.suffix):
        return ModelError(
            f"{name}: TensorRT can't {failure.stage} it: {told}",
            hint="build it for the GPU and the TensorRT that are here: see `edgeopt doctor`",
        )
    if lacks_operator(told):
        return UnsupportedError(
            f"{name}: ONNX Runtime lacks an operator of this model: {told}",
            hint="export it with standard ONNX operators, or at another opset",
        )
    return ModelError(
        f"{name}: ONNX Runtime can't {failure.stage} it: {told}",
        hint="check the file with onnx.checker.check_model, or convert the model again",
    )


def _litert(failure: Failed, name: str, told: str) -> EdgeOptError:
    if (operator := lacking_operator(failure.reason)) is not None:
        return UnsupportedError(
            f"{name}: LiteRT lacks its operator {operator}",
            hint="convert it with LiteRT's own operators only, or update ai-edge-litert: "
            "`edgeopt inspect` tells which release it asks for",
        )
    return ModelError(
        f"{name}: LiteRT can't {failure.stage} it: {told}",
        hint="it may be incomplete, or be for another runtime: fetch or convert it again",
    )


def died(code: int, words: str, names: Sequence[str]) -> EdgeOptError:
    """The error for a program that ended without a result.

    Args:
        code: Its exit code; on POSIX a negative one is a signal.
        words: What it wrote to standard error.
        names: What the artifacts are called in messages.

    Raises:
        RuntimeError: If it ended with a Python traceback: a bug.
    """
    name = ", ".join(names)
    if "Traceback (most recent call last)" in words:
        raise RuntimeError(f"the measuring program failed:\n{words}")
    if code == -9:
        return MeasurementError(
            f"{name}: the measuring process was killed", hint="this machine may be out of memory"
        )
    last = words.strip().splitlines()[-1:] or ["it left no message"]
    return ModelError(
        f"{name}: the runtime crashed on it ({_ending(code)}): {last[0]}",
        hint="it may be damaged: fetch or convert it again, or try another version of the runtime",
    )


def _ending(code: int) -> str:
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"exit code {code}"


def _readable(text: str) -> str:
    kind, _, message = text.partition(": ")
    return reason(message or kind)
