from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper

from edgeopt.benchmarks.device.failure import Failure
from edgeopt.benchmarks.device.onnxruntime_runner import OnnxRuntimeSession
from edgeopt.benchmarks.device.runtimes import Runtime


def test_outputs_come_by_name(make_model: Callable[..., Path]) -> None:
    session = OnnxRuntimeSession(str(make_model()), 1)
    outputs = session({"image": np.ones((2, 1, 16, 16), np.float32)})
    assert outputs["scores"].shape == (2, 10)


def test_the_bound_call_runs_as_often_as_it_is_called(make_model: Callable[..., Path]) -> None:
    run = OnnxRuntimeSession(str(make_model()), 1).bind(
        {"image": np.ones((1, 1, 16, 16), np.float32)[:, :, ::-1]}
    )
    for _ in range(3):
        run()


def test_a_model_whose_outputs_cannot_be_bound_still_runs(
    save_graph: Callable[..., Path],
) -> None:
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [4])
    out = helper.make_tensor_sequence_value_info("out", TensorProto.FLOAT, None)
    node = helper.make_node("SequenceConstruct", ["x", "x"], ["out"])
    path = save_graph(helper.make_graph([node], "g", [x], [out]))
    run = OnnxRuntimeSession(str(path), 1).bind({"x": np.ones(4, np.float32)})
    assert run() is not None


def test_the_runtime_reports_nothing_to_its_maker(
    make_model: Callable[..., Path], tmp_path: Path
) -> None:
    # Where its telemetry is on, it keeps a session file in the temporary folder.
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    script = (
        "import sys; from edgeopt.benchmarks.device.onnxruntime_runner import OnnxRuntimeSession;"
        "OnnxRuntimeSession(sys.argv[1], 1)"
    )
    subprocess.run(
        [sys.executable, "-c", script, str(make_model())],
        env={**os.environ, "TMPDIR": str(temporary), "PYTHONPATH": os.pathsep.join(sys.path)},
        check=True,
    )
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize("name", ["cuda", "tensorrt"])
def test_the_silent_fall_back_to_the_cpu_is_refused(
    make_model: Callable[..., Path], name: str
) -> None:
    # The build that is tested with has no such provider; one that has it falls back likewise.
    with pytest.raises(Failure, match="fell back to CPUExecutionProvider"):
        Runtime(f"onnxruntime-{name}").open(str(make_model()), 1)
