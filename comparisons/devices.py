"""Devices: what reaching one costs besides the measurement, and timing a call besides the call."""

from __future__ import annotations

import random
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from ai_edge_litert.interpreter import Interpreter
from environments import ours
from figures import Finding, plain
from kept import Kept, once
from loopback import loopback
from onnx import TensorProto, helper, numpy_helper
from rounds import ROUNDS
from tables import table

import edgeopt
from edgeopt.benchmarks.device.blocks import timed_block
from edgeopt.benchmarks.device.litert_runner import LiteRtSession
from edgeopt.benchmarks.device.onnxruntime_runner import OnnxRuntimeSession
from edgeopt.core.progress import silent
from edgeopt.pipeline import remote
from edgeopt.pipeline.remote import benchmark_there
from edgeopt.targets.ssh import SshDevice

BLOCKS, CALLS = 200, 2000
"""Of each way, in random order; calls in a block."""

SIZE = 5_000_000
"""Of the model that is taken to the device, in bytes."""

Run = Callable[[], object]


TOTAL = "all but the measurement"
CONNECTING = "connecting, and making a folder there"


def main(assets: Path) -> list[str]:  # noqa: ARG001 - every comparison is called alike
    """Measure, and give the lines of two Markdown tables."""
    found = _found()
    parts = {**found["reaching"]}
    total = parts.pop(TOTAL)
    warm = total - parts[CONNECTING]
    return [
        f"A model of {SIZE / 1e6:.1f} MB over ssh to this machine itself, median of {ROUNDS} "
        "rounds, imports done. What the program does there is the measurement.",
        "",
        *table(
            ("", "s"),
            (
                [part, f"{seconds:.2f}"]
                for part, seconds in {
                    **parts,
                    TOTAL: total,
                    "the same over a connection that is open (goal: under 2 s)": warm,
                }.items()
            ),
        ),
        "",
        *table(
            ("a call of a tiny model, us: its fastest tenth", "bare loop", "ours", "more (goal 1)"),
            (
                [way, f"{bare:.2f}", f"{timed:.2f}", f"{timed - bare:.2f}"]
                for way, (bare, timed) in found["calling"].items()
            ),
        ),
    ]


def figures(assets: Path) -> Iterator[Finding]:  # noqa: ARG001 - likewise
    """What was reached."""
    found = _found()
    reaching = found["reaching"]
    warm = reaching[TOTAL] - reaching[CONNECTING]
    yield plain("devices.reaching", warm, 2, f"connecting {reaching[CONNECTING]:.2f} s")
    for (bare, timed), key in zip(
        found["calling"].values(), ("devices.litert", "devices.onnxruntime"), strict=True
    ):
        yield plain(key, timed - bare, 2, f"bare loop {bare:.2f} us")


def _found() -> dict[str, Any]:
    """Seconds of each part of reaching a device, and us of both loops by runtime; kept."""
    depends = {**ours(), "rounds": str(ROUNDS)}
    return dict(once(Kept("devices"), "found", depends, _measured))


def _measured() -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        return {
            "reaching": _reaching(_large(folder)),
            "calling": {way: _calling(*runs) for way, runs in _ways(folder).items()},
        }


# Reaching a device


def _reaching(artifact: Path) -> dict[str, float]:
    """The median of each part, in s."""
    with loopback() as config:
        rounds = [_round(artifact, config) for _ in range(ROUNDS + 1)][1:]
    return {part: statistics.median(each[part] for each in rounds) for part in rounds[0]}


def _round(artifact: Path, config: Path) -> dict[str, float]:
    spent: dict[str, float] = defaultdict(float)
    spent[CONNECTING] = 0.0

    class Timed(SshDevice):
        @contextmanager
        def folder(self) -> Iterator[str]:
            start = time.perf_counter()
            with super().folder() as run:
                spent[CONNECTING] += time.perf_counter() - start
                yield run
                start = time.perf_counter()
            spent["removing it"] += time.perf_counter() - start

        def push(self, *arguments: Any) -> None:
            with _clock(spent, "copying"):
                super().push(*arguments)

        def start(self, *arguments: Any) -> tuple[int, str]:
            with _clock(spent, "measurement"):
                return super().start(*arguments)

        def pull(self, *arguments: Any) -> bytes:
            with _clock(spent, "taking the result back"):
                return super().pull(*arguments)

    usual, remote.reach = remote.reach, lambda address, config: Timed(address, config)
    try:
        with _clock(spent, "all"):
            benchmark_there(
                [artifact], "x86-64@ssh://loopback", accuracy="top1", save=False, progress=silent,
                ssh_config=config, duration=0.2, processes=1,
            )  # fmt: skip
    finally:
        remote.reach = usual
    there = spent.pop("measurement")
    alone = spent.pop("all") - there
    rest = alone - sum(spent.values())
    first = "making the bundle, with reference outputs; reading the result"
    return {first: rest, **spent, TOTAL: alone}


@contextmanager
def _clock(spent: dict[str, float], part: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    spent[part] += time.perf_counter() - start


def _large(folder: Path) -> Path:
    """One matrix product, of 5 MB."""
    width = SIZE // 4 // 1000
    return _model(folder / "large.onnx", "MatMul", (1, 1000), (1000, width), (1, width))


def _model(path: Path, kind: str, given: Any, weight: Any, result: Any) -> Path:
    values = np.random.default_rng(0).standard_normal(weight, dtype=np.float32)
    graph = helper.make_graph(
        [helper.make_node(kind, ["x", "w"], ["y"], "only")],
        "net",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, given)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, result)],
        [numpy_helper.from_array(values, "w")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.save(model, path)
    return path


# Timing a call


def _ways(folder: Path) -> dict[str, tuple[Run, Run]]:
    """By runtime: the call as its own documentation makes it, and as ours is."""
    net = _model(folder / "tiny.onnx", "Add", (1, 4), (1, 4), (1, 4))
    made = edgeopt.convert(net, to=["tflite"], output=folder, progress=silent).artifacts
    lite, inputs = str(made[0].path), {"x": np.ones((1, 4), np.float32)}
    interpreter = Interpreter(lite, num_threads=1)
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], inputs["x"])
    session = onnxruntime.InferenceSession(str(net), providers=["CPUExecutionProvider"])
    binding = session.io_binding()
    binding.bind_cpu_input("x", inputs["x"])
    binding.bind_output("y")
    return {
        "LiteRT, `invoke`": (interpreter.invoke, LiteRtSession(lite, 1).bind(inputs)),
        "ONNX Runtime, IO binding": (
            partial(session.run_with_iobinding, binding),
            OnnxRuntimeSession(str(net), 1).bind(inputs),
        ),
    }


def _calling(bare: Run, timed: Run) -> list[float]:
    """A call in both loops, in us."""
    found: dict[bool, list[float]] = {False: [], True: []}
    order = [False, True] * BLOCKS
    random.Random(0).shuffle(order)
    for harness in order:
        found[harness].append(
            sum(timed_block(timed, CALLS)) / CALLS if harness else _bare(bare, CALLS)
        )
    return [statistics.quantiles(found[side], n=10)[0] / 1000 for side in (False, True)]


def _bare(run: Run, calls: int) -> float:
    start = time.perf_counter_ns()
    for _ in range(calls):
        run()
    return (time.perf_counter_ns() - start) / calls


if __name__ == "__main__":
    print("\n".join(main(Path())))
