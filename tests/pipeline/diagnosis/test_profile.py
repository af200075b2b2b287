"""Where the time goes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeopt.pipeline.diagnosis.profile import by_operator, time_ops


def event(name: str, op: str, start: float, took: float) -> dict[str, Any]:
    return {"cat": "Node", "name": f"{name}_kernel_time", "ts": start, "dur": took,
            "args": {"op_name": op}}  # fmt: skip


def inference(start: float, took: float) -> dict[str, Any]:
    return {"cat": "Session", "name": "model_run", "ts": start, "dur": took, "args": {}}


def test_the_warm_up_is_left_out_and_the_rest_is_a_median() -> None:
    events = []
    for run, took in enumerate([9000, 100, 300, 200]):
        start = 10_000 * run
        events += [inference(start, took + 50), event("a", "Conv", start + 1, took / 2),
                   event("b", "Conv", start + 1 + took / 2, took / 2)]  # fmt: skip
    assert by_operator(events, 3) == pytest.approx({"Conv": 0.2})


def test_what_runs_inside_of_control_flow_counts_once() -> None:
    events = [
        inference(0, 100),
        event("if", "If", 10, 50),
        event("inner", "LSTM", 15, 30),
        event("after", "Add", 60, 5),
    ]
    assert by_operator(events, 1) == pytest.approx({"If": 0.02, "LSTM": 0.03, "Add": 0.005})


def test_an_operator_that_some_inferences_lack() -> None:
    events = [inference(0, 10), event("a", "Loop", 1, 8), inference(20, 10), inference(40, 10)]
    assert by_operator(events, 3) == {"Loop": 0.0}


def test_both_sides_are_timed(artifact: Path, conv_net: Path, tmp_path: Path) -> None:
    image = {"image": np.zeros((1, 3, 8, 8), np.float32)}
    found = time_ops(conv_net, artifact, image, tmp_path)
    assert found.runs >= 5
    ops = {op.op: op for op in found.ops}
    assert sum(op.float_share for op in found.ops) == pytest.approx(1)
    assert sum(op.artifact_share for op in found.ops) == pytest.approx(1)
    assert ops["Conv"].float_ms > 0
    assert found.machine.architecture
    assert not list(tmp_path.glob("profile*"))
