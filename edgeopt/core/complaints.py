"""Runtimes' messages as one line that a user can read."""

from __future__ import annotations

import re

from edgeopt.core.tensors import Batch

_LACKS_OPERATOR = re.compile(
    r"Could not find an implementation|No Op registered|not a registered|No opset import"
)
_LITERT_LACKS = re.compile(
    r"Didn't find op for builtin opcode '(?P<op>\w+)'|unresolved custom op: (?P<custom>\S+)", re.I
)
_NOISE = (
    (r"(?:[\w.-]*/)+[\w.-]+\.(?:cc|h):\d+:?\s+", ""),
    (r"Could not open '.*?'\.\s*", ""),
    (r"\[ONNXRuntimeError\] : \d+ : [A-Z_]+ : ", ""),
    (r"Load model from .+? failed: ?", ""),  # an absolute path, and the sentence has one already
    (r"(at )?\"?(/\S+|[A-Za-z]:\\\S+)\.(cc|cpp|h)\"?:\d+,?\s*", ""),
    (r"(?:onnxruntime::)?[\w:]+\([^()]*\)\s+(?=[A-Z])", ""),
    (r"Exception during initialization: |Status Message: ", ""),
    (r"\s+", " "),
)
_LONGEST = 300


def reason(error: Exception | str) -> str:
    """The complaint as one line, without the runtime's source locations and our temporary paths."""
    text = str(error)
    for pattern, replacement in _NOISE:
        text = re.sub(pattern, replacement, text)
    return text.strip().rstrip(".")[:_LONGEST]


def failed_sample_hint(inputs: Batch) -> str:
    """What to do about a sample that a model fails on."""
    given = ", ".join(f"{n}:{a.dtype}[{','.join(map(str, a.shape))}]" for n, a in inputs.items())
    pictures = any(array.ndim == 4 for array in inputs.values())
    resized = ", and --resize 320x320 makes all pictures of one size" if pictures else ""
    return (
        f"it was given {given}; without --evaluation and --calibration that is random, and of "
        "size 1 where a size is dynamic: say what the model takes with --input, as in --input "
        f"'image:float32[1,3,320,320]'{resized}"
    )


def lacks_operator(text: str) -> bool:
    """Whether the complaint is that the runtime doesn't know an operator."""
    return _LACKS_OPERATOR.search(text) is not None


def lacking_operator(text: str) -> str | None:
    """The operator that LiteRT complains it doesn't know; None for another complaint."""
    found = _LITERT_LACKS.search(text)
    return None if found is None else found["op"] or found["custom"]
