"""Reading what onnxruntime_perf_test says. The texts were written to its sources' formats.

onnxruntime/test/perftest/performance_runner.cc
"""

from __future__ import annotations

from pathlib import Path

import pytest

from edgeopt.benchmarks.artifact import read_artifact
from edgeopt.benchmarks.native.answer import Said
from edgeopt.benchmarks.native.perf_test import PROGRAM
from edgeopt.benchmarks.plan import Plan

NEW = """\
Setting intra_op_num_threads to 1
Session creation time cost: 0.0102016 s
First inference time cost: 2 ms
Total inference time cost: 0.00571 s
Total inference requests: 3
Average inference time cost total: 1.903333 ms
Total inference run time: 0.0058 s
Number of inferences per second: 517.2
Avg CPU usage: 96 %
Peak working set size: 36696064 bytes
"""
OLD = """\
Session creation time cost:0.0102016 s
Total inference time cost:0.00571 s
Total inference requests:3
Average inference time cost:1.90333 ms
Total inference run time:0.0058 s
"""
TIMES = "0.00183404\n0.00190312\n0.00197284\n"


def test_a_new_one() -> None:
    found = PROGRAM.read(Said(NEW, 0, TIMES))
    assert found is not None
    assert found.ns == (1834040, 1903120, 1972840)
    assert (found.load_ms, found.first_ms) == (10.2016, 2.0)
    assert found.peak_bytes == 36696064
    assert found.calls.count == 3


def test_an_old_one_does_not_tell_the_first_call_or_the_peak() -> None:
    found = PROGRAM.read(Said(OLD, 0, TIMES))
    assert found is not None
    assert (found.first_ms, found.peak_bytes) == (None, None)


@pytest.mark.parametrize(
    ("words", "times"),
    [
        ("", TIMES),
        (NEW, None),
        (NEW, ""),
        (NEW, "0.0018\nnonsense\n"),
        (NEW, "0.0018\nnan\n"),
        (NEW, "-0.0018\n"),
        (NEW, "1834040\n1903120\n"),  # in ns, as a build of it for MLPerf wrote
        (NEW.replace("Average", "Mean"), TIMES),
    ],
)
def test_what_it_does_not_say(words: str, times: str | None) -> None:
    assert PROGRAM.read(Said(words, 0, times)) is None


def test_its_arguments(conv_net: Path) -> None:
    artifact, plan = read_artifact(conv_net), Plan(threads=2, duration=0.2)
    assert PROGRAM.file_arguments("./0/net.onnx") == ["./0/net.onnx", "times.csv"]
    found = PROGRAM.arguments(artifact, plan, 4, memory=False)
    assert found[:9] == ["-I", "-e", "cpu", "-x", "2", "-m", "duration", "-t", "1"]
    assert found[-2:] == ["-f", f"{artifact.inputs[0].shape[0]}:4"]
    assert "-f" not in PROGRAM.arguments(artifact, plan, 1, memory=False)
