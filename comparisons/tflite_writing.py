"""EfficientNet-Lite0's int8 graph to a TFLite file: compiling and writing alone.

What comes before it, ranges and rounding, is done already. Each time is of a process's first.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from environments import ours
from figures import Finding, plain
from kept import Kept, once
from processes import ONE_CORE, ONE_THREAD
from rounds import ROUNDS
from tables import table

HERE = Path(__file__).resolve().parent


def main(assets: Path) -> list[str]:
    """Measure, and give the lines of a Markdown table."""
    seconds = _seconds(assets)
    each = ", ".join(f"{taken:.3f}" for taken in seconds)
    return table(
        ("compile and write, s (goal 0.1)", "median", f"{len(seconds)} processes"),
        [["EfficientNet-Lite0, int8", f"{statistics.median(seconds):.3f}", each]],
    )


def figures(assets: Path) -> Iterator[Finding]:
    """What was reached."""
    yield plain("tflite.writing", statistics.median(_seconds(assets)), 3)


def _seconds(assets: Path) -> list[float]:
    model = assets / "efficientnet_lite0.onnx"
    depends = {**ours(model), "rounds": str(ROUNDS)}
    return list(once(Kept("tflite_writing"), "seconds", depends, partial(_measured, model)))


def _measured(model: Path) -> list[float]:
    command = [*ONE_CORE, sys.executable, __file__, str(model)]
    found = []
    for _ in range(ROUNDS):
        ran = subprocess.run(
            command, check=True, stdout=subprocess.PIPE, text=True, env={**os.environ, **ONE_THREAD}
        )
        found.append(float(json.loads(ran.stdout)))
    return found


def once_here(model: Path) -> float:
    """Seconds that the first compilation of this process takes, with its writing."""
    from tflite_emulation import calibrated

    from edgeopt.converters.tflite.compiler import compile_model
    from edgeopt.converters.tflite.flatbuffer import to_flatbuffer

    with tempfile.TemporaryDirectory() as scratch:
        graph = calibrated(model, Path(scratch))
        start = time.perf_counter()
        compiled = compile_model(graph, channels_last=True)
        Path(scratch, "model.tflite").write_bytes(to_flatbuffer(compiled))
        return time.perf_counter() - start


if __name__ == "__main__":
    print(json.dumps(once_here(Path(sys.argv[1]))))
