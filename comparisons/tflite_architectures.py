"""Architectures with random weights through the TFLite compiler.

Each is simplified as ``edgeopt convert`` does, compiled, and run in LiteRT with XNNPACK beside ONNX
Runtime (``architectures.py`` tells which, and how they are exported).
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from architectures import CLASSIFIERS, CONVOLUTIONAL, NAMES, export, exported
from environments import ours
from figures import Finding, plain
from kept import Kept, once
from tables import table

HEAD = ("architecture", "difference", "partitions", "left outside", "TRANSPOSE", "operators",
        "seconds")  # fmt: skip

AGREEING = 1e-5
"""How far outputs may be apart, as a share of the largest."""


@dataclass(frozen=True)
class Row:
    """What was found of one architecture.

    Args:
        name: The architecture's.
        fault: Why there is nothing more; empty if it ran.
        difference: Of the outputs, the largest, each divided by the output's largest element.
        partitions: Of the delegate.
        outside: Nodes that the delegate left, by LiteRT's names.
        transposes: TRANSPOSE operators.
        operators: In all.
        seconds: To compile and write.
    """

    name: str
    fault: str = ""
    difference: float = 0.0
    partitions: int = 0
    outside: tuple[str, ...] = ()
    transposes: int = 0
    operators: int = 0
    seconds: float = 0.0

    @property
    def agrees(self) -> bool:
        """Whether it compiled, and gives what ONNX Runtime gives."""
        return not self.fault and self.difference < AGREEING


def main(assets: Path) -> list[str]:  # noqa: ARG001 - every comparison is called alike
    """Run them, and give the lines of a Markdown table."""
    return lines(_found())


def figures(assets: Path) -> Iterator[Finding]:  # noqa: ARG001 - likewise
    """What was reached."""
    rows = _found()
    good = [row for row in rows if row.agrees]
    told = f"of {len(rows)}, within {max(row.difference for row in good):.1e}"
    yield plain("tflite.architectures", len(good), 0, told)
    split = [row.name for row in rows if row.name in CLASSIFIERS and row.partitions != 1]
    yield plain("tflite.partitions", len(split), 0, ", ".join(split) or f"of {len(CLASSIFIERS)}")
    turned = [row.name for row in rows if row.name in CONVOLUTIONAL and row.transposes]
    yield plain(
        "tflite.transposes", len(turned), 0, ", ".join(turned) or f"of {len(CONVOLUTIONAL)}"
    )


def _found() -> list[Row]:
    """Each architecture's row; kept."""
    export(NAMES)
    kept, rows = Kept("tflite_architectures"), []
    for name in NAMES:
        files = [exported(name)] if exported(name).exists() else []
        found = once(kept, name, ours(*files), partial(_apart, name), lasting=True)
        rows.append(Row(**{**found, "outside": tuple(found["outside"])}))
    return rows


def _apart(name: str) -> dict[str, Any]:
    """In a process of its own: LiteRT can abort it."""
    done = subprocess.run(
        [sys.executable, __file__, name], capture_output=True, text=True, check=False
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["?"])[-1]
        return asdict(Row(name, fault=f"exit {done.returncode}: {last[:200]}"))
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def measured(name: str) -> Row:
    """One architecture's row."""
    from edgeopt.converters.simplify import simplify
    from edgeopt.converters.tflite.compiler import compile_model
    from edgeopt.converters.tflite.flatbuffer import to_flatbuffer
    from edgeopt.core.errors import EdgeOptError
    from edgeopt.core.ir import ir

    if not exported(name).exists():
        return Row(name, fault="the exporter fails on it")
    with tempfile.TemporaryDirectory() as folder:
        graph, file = Path(folder, "float.onnx"), Path(folder, "model.tflite")
        simplify(exported(name), graph, name)
        began = time.perf_counter()
        try:
            compiled = compile_model(ir.load(graph), channels_last=True, name=name)
            file.write_bytes(to_flatbuffer(compiled))
        except EdgeOptError as error:
            return Row(name, fault=str(error))
        seconds = time.perf_counter() - began
        difference, taken = _compared(graph, file)
    codes = [op.code for op in compiled.operators]
    return Row(
        name, "", difference, taken["partitions"], tuple(n["op"] for n in taken["outside"]),
        codes.count("TRANSPOSE"), len(codes), seconds,
    )  # fmt: skip


def _compared(graph: Path, file: Path) -> tuple[float, dict[str, Any]]:
    import onnxruntime

    from edgeopt.benchmarks.device.delegation import delegation
    from edgeopt.core.layout import Layout
    from edgeopt.core.litert import open_litert

    session = onnxruntime.InferenceSession(str(graph))
    inputs = {value.name: _some(value, n) for n, value in enumerate(session.get_inputs())}
    wanted = session.run(None, inputs)
    model = open_litert(file, layout=Layout.NHWC)
    pairs = list(zip(wanted, model.run(inputs, "random numbers"), strict=True))
    if any(a.shape != b.shape for a, b in pairs):
        return float("nan"), delegation(model.interpreter)
    return max(float(np.abs(b - a).max() / np.abs(a).max()) for a, b in pairs), delegation(
        model.interpreter
    )


def _some(value: Any, seed: int) -> np.ndarray:
    """Random numbers for an input; words and masks for one of integers."""
    rng = np.random.default_rng(seed)
    shape = [d if isinstance(d, int) else 1 for d in value.shape]
    if value.type == "tensor(int64)":
        return rng.integers(1, 1000, shape) if seed == 0 else np.ones(shape, np.int64)
    return rng.standard_normal(shape, dtype=np.float32)


def lines(rows: list[Row]) -> list[str]:
    """As Markdown."""
    good = [row for row in rows if row.agrees]
    summary = (
        f"{len(good)} of {len(rows)} compile and agree within {AGREEING:.0e}; "
        f"{sum(row.partitions == 1 for row in good)} of those are one partition."
    )
    return [summary, "", *table(HEAD, map(_cells, rows))]


def _cells(row: Row) -> list[str]:
    if row.fault:
        return [row.name, row.fault, *[""] * (len(HEAD) - 2)]
    return [
        row.name,
        f"{row.difference:.1e}",
        str(row.partitions),
        ", ".join(f"{code} x{count}" for code, count in sorted(Counter(row.outside).items())),
        str(row.transposes),
        str(row.operators),
        f"{row.seconds:.2f}",
    ]


if __name__ == "__main__":
    print(json.dumps(asdict(measured(sys.argv[1]))))
