"""ONNX's own node tests through the TFLite compiler and LiteRT.

Each of the tests that come with the package ``onnx`` (a small model, its inputs and what it must
give) is compiled and run with XNNPACK and with the built-in kernels. To see what is wrong:

    .venv/bin/python comparisons/tflite_node_tests.py [Softmax]
"""

from __future__ import annotations

import multiprocessing
import re
import sys
import traceback
import warnings
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
from environments import ours
from figures import Finding, plain
from kept import Kept, once
from tables import table

RELATIVE, ABSOLUTE = 1e-3, 1e-5
PATIENCE = 60
"""Seconds that a small model may take."""

PASSED, FROZEN, REFUSED, WRONG = "passed", "passed with constants", "refused", "wrong"
DELEGATED = "passed with XNNPACK alone"
HEAD = ("operator", "passed", "with constants", "XNNPACK alone", "refused", "wrong",
        "refused because")  # fmt: skip
VERDICTS = (PASSED, FROZEN, DELEGATED, REFUSED, WRONG)


@dataclass(frozen=True)
class Outcome:
    """What became of one test.

    Args:
        test: Its name.
        operator: The ONNX operator that it is about.
        verdict: One of :data:`VERDICTS`.
        reason: Why it was refused, or what was wrong.
    """

    test: str
    operator: str
    verdict: str
    reason: str = ""


def main(assets: Path) -> list[str]:  # noqa: ARG001 - every comparison is called alike
    """Run the tests, and give the lines of their sums and of a Markdown table."""
    found = _found()
    return [*sums(found), "", *by_operator(found)]


def figures(assets: Path) -> Iterator[Finding]:  # noqa: ARG001 - likewise
    """What was reached."""
    counts = Counter(outcome.verdict for outcome in _found())
    told = ", ".join(f"{counts[verdict]} {verdict}" for verdict in VERDICTS if verdict != WRONG)
    yield plain("tflite.nodes", counts[WRONG], 0, told)


def _found() -> list[Outcome]:
    """Every test's outcome; kept."""
    import onnx

    depends = {**ours(), "onnx": onnx.__version__}
    found = once(
        Kept("tflite_node_tests"), "outcomes", depends,
        lambda: [asdict(outcome) for outcome in outcomes()], lasting=True,
    )  # fmt: skip
    return [Outcome(**each) for each in found]


def outcomes(only: str = "", cases: list[Any] | None = None) -> Iterator[Outcome]:
    """Every test's, in ONNX's order."""
    cases = collected() if cases is None else cases
    operators = {case.name: case.model.graph.node[0].op_type for case in cases}
    interpreter = _Apart()
    for case in cases:
        base = re.sub(r"_expanded.*", "", case.name)
        operator = operators.get(base, operators[case.name])
        if re.search(only, operator):
            yield Outcome(case.name, operator, *_judged(case, interpreter))
    interpreter.close()


def collected() -> list[Any]:
    """The tests that come with ONNX."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        from onnx.backend.test.case.node import collect_testcases

        return list(collect_testcases(None))


def _judged(case: Any, interpreter: _Apart) -> tuple[str, str]:
    """As it is; and where that is refused, with all inputs but the first made constants."""
    verdict, reason = _run(case.model, case.data_sets[0], interpreter)
    if verdict == REFUSED and len(case.model.graph.input) > 1:
        again = _frozen(case.model, case.data_sets[0])
        if again is not None:
            retried, why = _run(*again, interpreter)
            if retried != REFUSED:
                return (FROZEN if retried == PASSED else retried), why
    return verdict, reason


def _frozen(model: Any, data: Any) -> tuple[Any, Any] | None:
    import onnx

    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    inputs, outputs = ([_array(a) for a in arrays] for arrays in data)
    for value, array in list(zip(copy.graph.input, inputs, strict=True))[1:]:
        if not value.type.HasField("tensor_type") or not isinstance(array, np.ndarray):
            return None
        copy.graph.initializer.append(onnx.numpy_helper.from_array(array, value.name))
    del copy.graph.input[1:]
    return copy, (inputs[:1], outputs)


def _run(model: Any, data: Any, interpreter: _Apart) -> tuple[str, str]:
    from edgeopt.converters.tflite.compiler import compile_bytes
    from edgeopt.core.errors import EdgeOptError
    from edgeopt.core.ir import ir

    inputs, outputs = ([_array(a) for a in arrays] for arrays in data)
    try:
        content = compile_bytes(ir.from_proto(model))
    except EdgeOptError as error:
        return REFUSED, error.message
    except Exception as error:  # noqa: BLE001 - a bug of ours is what is looked for
        place = traceback.extract_tb(error.__traceback__)[-1]
        return (
            WRONG,
            f"{type(error).__name__} at {Path(place.filename).name}:{place.lineno}: {error}",
        )
    for kernels in ("xnnpack", "built-in"):
        found = interpreter.run(content, inputs, kernels)
        if isinstance(found, str):
            return WRONG, f"{kernels}: {found}"
        for name, expected, array in zip(model.graph.output, outputs, found, strict=True):
            fault = _fault(np.asarray(expected), array)
            if fault:
                verdict = WRONG if kernels == "xnnpack" else DELEGATED
                return verdict, f"{kernels}: {name.name}: {fault}"
    return PASSED, ""


def _array(value: Any) -> Any:
    import onnx

    return onnx.numpy_helper.to_array(value) if isinstance(value, onnx.TensorProto) else value


def _fault(expected: np.ndarray, found: np.ndarray) -> str:
    if expected.shape != found.shape:
        return f"shape {found.shape} instead of {expected.shape}"
    wanted = np.dtype(np.float32) if expected.dtype == np.float64 else expected.dtype
    if wanted != found.dtype:
        return f"type {found.dtype} instead of {wanted}"
    if expected.dtype == np.bool_ or not np.issubdtype(expected.dtype, np.floating):
        return "" if np.array_equal(expected, found) else "other integers"
    close = np.allclose(found, expected, RELATIVE, ABSOLUTE, equal_nan=True)
    return "" if close else f"off by {np.nanmax(np.abs(found - expected)):.3g}"


class _Apart:
    """LiteRT in a process of its own, begun again when it aborts."""

    def __init__(self) -> None:
        self.process: Any = None
        self.pipe: Any = None

    def run(self, content: bytes, inputs: Any, kernels: str) -> list[np.ndarray] | str:
        """A model's outputs, or what went wrong."""
        if self.process is None:
            context = multiprocessing.get_context("spawn")
            self.pipe, other = context.Pipe()
            self.process = context.Process(target=_interpret, args=(other,), daemon=True)
            self.process.start()
            other.close()
        try:
            self.pipe.send((content, [np.asarray(i) for i in inputs], kernels))
            if not self.pipe.poll(PATIENCE):
                self.close()
                return f"not done in {PATIENCE} s"
            return self.pipe.recv()
        except (EOFError, BrokenPipeError, ConnectionResetError):
            self.close()
            return "LiteRT aborted"

    def close(self) -> None:
        """End the process."""
        if self.process is not None:
            self.process.kill()
            self.process.join()
        self.process = None


def _interpret(pipe: Connection) -> None:
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    kinds = {
        "xnnpack": OpResolverType.AUTO,
        "built-in": OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
    }
    while True:
        content, inputs, kernels = pipe.recv()
        try:
            opened = Interpreter(
                model_content=content, experimental_op_resolver_type=kinds[kernels]
            )
            opened.allocate_tensors()
            for detail, array in zip(opened.get_input_details(), inputs, strict=True):
                opened.set_tensor(detail["index"], array.astype(detail["dtype"]))
            opened.invoke()
            found = [opened.get_tensor(d["index"]) for d in opened.get_output_details()]
        except (RuntimeError, ValueError) as error:
            pipe.send(f"LiteRT: {error}")
        else:
            pipe.send(found)


def sums(found: list[Outcome]) -> list[str]:
    """How many of each verdict, as Markdown."""
    import onnx

    counts = Counter(o.verdict for o in found)
    return [
        f"onnx {onnx.__version__}, {len(found)} tests: "
        + ", ".join(f"{counts[v]} {v}" for v in VERDICTS)
        + "."
    ]


def by_operator(found: list[Outcome]) -> list[str]:
    """A row an operator, as Markdown."""
    groups: dict[str, list[Outcome]] = defaultdict(list)
    for outcome in found:
        groups[outcome.operator].append(outcome)
    rows = []
    for operator, group in sorted(groups.items()):
        counts = Counter(o.verdict for o in group)
        reasons = Counter(_short(o.reason) for o in group if o.verdict == REFUSED)
        why = "; ".join(reason for reason, _ in reasons.most_common(3))
        rows.append([operator, *(str(counts[v] or "") for v in VERDICTS), why])
    return table(HEAD, rows)


def _short(reason: str) -> str:
    """A reason without the names of this model's nodes and values."""
    text = re.sub(r"^model: ", "", reason)
    text = re.sub(r"^\w+ '[^']*': ", "", text)
    return re.sub(r"'[^']*'", "...", text).replace("|", "\\|")


if __name__ == "__main__":
    for each in outcomes(*sys.argv[1:]):
        if each.verdict == WRONG:
            print(f"{each.test} ({each.operator}): {each.reason}")
