"""What the program of a bundle says to whoever started it."""

from __future__ import annotations

import os
import shlex
from typing import Any, Dict, Iterator, Sequence

from .failure import Failure

INSTALL = {
    "litert": "python3 -m pip install ai-edge-litert, or tflite-runtime where it has no wheel",
    "onnxruntime": "python3 -m pip install onnxruntime",
}
"""How a device gets a runtime."""

_OLD = "op for builtin opcode"
"""What LiteRT says of an operator, or a version of one, that it doesn't know."""


def shown(text: str) -> str:
    """Text as one line that a terminal shows and doesn't obey, whatever a file is called."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def failure(failure: Failure, names: Sequence[str]) -> str:
    """One line: which artifact, why, and what to do."""
    named = failure.artifact is not None and failure.artifact < len(names)
    where = "{}: ".format(names[failure.artifact or 0]) if named else ""
    line = shown(" ".join((where + failure.reason).split()))
    for runtime, how in INSTALL.items():
        if failure.stage == "runtime" and failure.reason.startswith(runtime):
            return "{}: {}".format(line, how)
    if _OLD in failure.reason:
        return "{}: the runtime here is older than the file: {}".format(line, INSTALL["litert"])
    return line


def found(report: Dict[str, Any], path: str) -> str:
    """A few lines for each artifact, and what to do with the result."""
    lines = [line for each in report["measurements"] for line in _artifact(each)]
    names = " ".join(shlex.quote(each["artifact"]) for each in report["measurements"])
    result = os.path.basename(path)
    lines.append("Take {} back, and:".format(result))
    lines.append("  edgeopt benchmark {} --import {}".format(names, shlex.quote(result)))
    return "".join(shown(line) + "\n" for line in lines)


def _artifact(measurement: Dict[str, Any]) -> Iterator[str]:
    latency, runtime = measurement["latency"], measurement["runtime"]
    mark = "" if measurement["kind"] == "measured" else " (emulated: no latency of a real device)"
    yield "{}: {:.3f} ms{}, the median of {} calls in {} processes, {} {}, threads: {}".format(
        measurement["artifact"], latency["p50"], mark, latency["count"],
        len(latency["process_q10"]), runtime["name"], runtime["version"], measurement["threads"],
    )  # fmt: skip
    floor = measurement["verification"]["floor_db"]
    for output in measurement["verification"]["outputs"]:
        yield "  {}".format(_output(output, floor))
    values = measurement["accuracy"]["values"] or {}
    if values:
        yield "  " + ", ".join("{} {:.2%}".format(*each) for each in values.items())


def _output(output: Dict[str, Any], floor: float) -> str:
    decibels, agreement = output["sqnr_db"], output["agreement"]
    if decibels is None:
        return "output {!r} is bit for bit its reference".format(output["output"])
    same = "" if agreement is None else ", {:.2%} with the same class".format(agreement)
    short = "" if decibels >= floor else " - BELOW the floor of {:g} dB".format(floor)
    return "output {!r} is {:.1f} dB from its reference, at most {:.4g} off{}{}".format(
        output["output"], decibels, output["max_abs_error"], same, short
    )
