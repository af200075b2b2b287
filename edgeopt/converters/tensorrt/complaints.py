"""TensorRT's complaints as one line that a user can act on."""

from __future__ import annotations

import re
from collections.abc import Sequence
from shlex import quote

from edgeopt.core.errors import (
    BuildError,
    EdgeOptError,
    MissingExtraError,
    ModelError,
    OutputError,
    UnsupportedError,
    UsageError,
)

_MEMORY = re.compile(
    r"bad_alloc|MemoryError|out of memory|OutOfMemory|within workspace limit", re.I
)
_LACKS = re.compile(r"not supported|unsupported|HW-specific datatypes|no compute capability", re.I)
_NOISE = (
    (r"\b\w+(?:::\w+)+: Error Code \d+: [\w ]+ \(", ""),
    (r"\[[\w.]+(?:::?\w+)*: ?\w*\] ?", ""),
    (r" ?In \w+ at /\S+\)?", ""),
    (r"\(\w+\): [A-Z_]+: ", ""),
    (r"Assertion failed: [\w>().&:-]+: ", ""),
    (r"\s+", " "),
)
_NO_DRIVER = "CUDA driver version is insufficient"
"""Said beside the real reason wherever there is no GPU."""

_LONGEST = 300


def failed(
    stage: str,
    reason: str,
    nodes: Sequence[tuple[str, str]],
    name: str,
    *,
    limited: bool = False,
) -> EdgeOptError:
    """The error for a build that failed.

    Args:
        stage: Where.
        reason: TensorRT's words.
        nodes: The nodes that its parser refused, by name and operator.
        name: The model's.
        limited: Whether memory was bounded: what fails for want of it doesn't always say so.
    """
    told = readable(reason)
    if stage == "module":
        return _broken(reason)
    if stage == "output":
        return OutputError(
            f"{name}: building can't read or write {reason}",
            hint="free some space, or name another folder or --timing-cache",
        )
    if _MEMORY.search(reason):
        return _memory(name, reason)
    refused = [(node, op) for node, op in nodes if op]
    if refused:
        return _refused(refused, told, name)
    if stage == "parse":
        return ModelError(
            f"{name}: TensorRT can't read the ONNX file: {told}",
            hint="convert the model again; the file may be incomplete",
        )
    if "optimization profile" in reason or "profile 0" in reason or stage == "profile":
        return UsageError(
            f"{name}: TensorRT needs other ranges of its inputs' sizes: {told}",
            hint="give them with --input 'name:float32[1..8,3,224,224]'",
        )
    if _LACKS.search(reason):
        return UnsupportedError(
            f"{name}: TensorRT can't build it for this target: {told}",
            hint="use another --precision or --target",
        )
    if limited:
        return _memory(name, reason)
    return BuildError(
        f"{name}: TensorRT can't build it: {told}",
        hint="see which nodes it takes with `edgeopt inspect MODEL --for tensorrt`",
    )


def took_too_long(name: str, seconds: float) -> BuildError:
    """The error for a build that was ended."""
    return BuildError(
        f"{name}: no engine after {seconds:g} s",
        hint="give it longer with --build-timeout, or fewer sizes with --input",
    )


def killed(code: int, words: str, name: str, *, limited: bool = False) -> EdgeOptError:
    """The error for a building process that ended without an answer.

    Args:
        code: Its exit code; on POSIX a negative one is a signal.
        words: What it wrote to standard error.
        name: The model's.
        limited: Whether its memory was bounded: not even a thread may have fitted in.

    Raises:
        RuntimeError: If it ended with a Python traceback: a bug.
    """
    if code == -9 or _MEMORY.search(words) or (limited and code < 0):
        return _memory(name, words)
    if "Traceback (most recent call last)" in words:
        raise RuntimeError(f"the building program failed:\n{words}")
    last = (words.strip().splitlines() or ["it left no message"])[-1]
    ending = f"signal {-code}" if code < 0 else f"exit code {code}"
    return BuildError(
        f"{name}: TensorRT crashed on it ({ending}): {last[:_LONGEST]}",
        hint="try another version of it, or another --precision",
    )


def readable(text: str) -> str:
    """A complaint as one line, without places in TensorRT's sources."""
    lines = [line for line in text.splitlines() if line.strip()]
    telling = [line for line in lines if _NO_DRIVER not in line] or lines
    told = telling[0] if telling else "it gives no reason"
    for pattern, replacement in _NOISE:
        told = re.sub(pattern, replacement, told)
    return told.strip().rstrip(".)")[:_LONGEST]


def _broken(reason: str) -> EdgeOptError:
    if reason.startswith("ModuleNotFoundError: No module named 'tensorrt_rtx'"):
        return MissingExtraError("a TensorRT engine", "tensorrt_rtx", "tensorrt")
    return BuildError(
        f"TensorRT is installed, but can't be imported: {readable(reason)}",
        hint="pip install --force-reinstall 'edgeopt[tensorrt]', or see `edgeopt doctor`",
    )


def _memory(name: str, reason: str) -> BuildError:
    scratch = "workspace limit" in reason
    what = "the engine's scratch memory" if scratch else "memory"
    return BuildError(
        f"{name}: not enough {what} to build it",
        hint="allow more with --build-memory, or free some",
    )


def _refused(nodes: Sequence[tuple[str, str]], told: str, name: str) -> UnsupportedError:
    (node, op), others = nodes[0], len(nodes) - 1
    more = f" and {others} more" if others else ""
    why = "" if told.endswith("false") or op in told else f": {told}"
    return UnsupportedError(
        f"{name}: TensorRT doesn't take {op} {node!r}{more}{why}",
        hint=f"see all of them with `edgeopt inspect {quote(name)} --for tensorrt`, and express "
        "them with other operators",
    )
