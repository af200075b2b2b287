"""Reading what benchmark_model says. The texts were written to its sources' formats.

tensorflow/lite/tools/benchmark/benchmark_model.cc, tensorflow/core/util/stats_calculator.h
"""

from __future__ import annotations

from pathlib import Path

import pytest

from edgeopt.benchmarks.artifact import read_artifact
from edgeopt.benchmarks.native.answer import Said
from edgeopt.benchmarks.native.litert import PROGRAM
from edgeopt.benchmarks.native.times import Process, Spread
from edgeopt.benchmarks.plan import Plan

BEGINNING = """\
INFO: STARTING!
INFO: Log parameter values verbosely: [0]
INFO: Graph: [./0/net.tflite]
INFO: Loaded model ./0/net.tflite
INFO: Initialized TensorFlow Lite runtime.
INFO: Created TensorFlow Lite XNNPACK delegate for CPU.
INFO: The input model file size (MB): 3.57776
INFO: Initialized session in 21.5ms.
INFO: Running benchmark for at least 1 iterations and at least 0.5 seconds but terminate if \
exceeding 600 seconds.
"""
END = """
INFO: Inference timings in us: Init: 21500, First inference: 9000, Warmup (avg): 5800.5, \
Inference (avg): {avg}
INFO: Note: as the benchmark tool itself affects memory footprint, the following is only \
APPROXIMATE to the actual memory footprint of the model at runtime. Take the information at your \
discretion.
INFO: Memory footprint delta from the start of the tool (MB): init=10.5 overall=12.25
"""
PEAK = "INFO: Overall peak memory footprint (MB) via periodic monitoring: 25.0508\n"
NEW = (
    "INFO: count=86 first=9000 curr=5700 min=5600 max=9000 avg=5800.5 std=310 p5=5610 "
    "median=5750 p95=6100\n\n"
    "INFO: count=175 first=5700 curr=5690 min=5590 max=7000 avg=5712.25 std=90 p5=5600 "
    "median=5705 p95=5800\n"
)
OLD = (
    "INFO: count=86 first=9000 curr=5700 min=5600 max=9000 avg=5800.5 std=310\n\n"
    "INFO: count=175 first=5700 curr=5690 min=5590 max=7000 avg=5712.25 std=90\n"
)
SLOW = (
    "INFO: count=1 curr=9000\n\n"
    "INFO: count=2 curr=3.2e+06(all same) p5=3.2e+06 median=3.2e+06 p95=3.2e+06\n"
)


def _read(runs: str, end: str = END, avg: str = "5712.25") -> Process | None:
    return PROGRAM.read(Said(BEGINNING + runs + end.format(avg=avg), 0, None))


def test_a_new_one_gives_the_median() -> None:
    found = _read(NEW, END + PEAK)
    assert found is not None
    assert found.calls == Spread(175, 5.71225, 0.09, 5.59, 7.0, 5.705)
    assert (found.load_ms, found.first_ms, found.provider) == (21.5, 9.0, "XNNPACK")
    assert found.warmup_calls == 85
    assert found.warmup_seconds == pytest.approx((86 * 5.8005 - 9) / 1e3)
    assert found.peak_bytes == round(25.0508 * 1024 * 1024)
    assert found.ns is None


def test_an_old_one_gives_no_median_and_no_peak() -> None:
    found = _read(OLD)
    assert found is not None
    assert found.calls == Spread(175, 5.71225, 0.09, 5.59, 7.0, None)
    assert found.peak_bytes is None


def test_calls_that_all_took_the_same_time() -> None:
    found = _read(SLOW, avg="3.2e+06")
    assert found is not None
    assert found.calls == Spread(2, 3200.0, 0.0, 3200.0, 3200.0, 3200.0)
    assert found.warmup_calls == 0
    assert found.warmup_seconds == 0


@pytest.mark.parametrize(
    "words",
    [
        "",
        "ERROR: Failed to load model ./0/net.tflite\n",
        BEGINNING + NEW,  # it was stopped before its end
        BEGINNING + END.format(avg=1),
        BEGINNING + "INFO: count=0\n\nINFO: count=0\n" + END.format(avg="nan"),
        BEGINNING + "INFO: count=1 curr=0\n\nINFO: count=1 curr=0\n" + END.format(avg=0),
        BEGINNING + OLD.replace("avg=5712.25", "avg=") + END.format(avg=1),
        BEGINNING + OLD.replace("min=5590", "min=-.-") + END.format(avg=1),
    ],
)
def test_what_it_does_not_say(words: str) -> None:
    assert PROGRAM.read(Said(words, 0, None)) is None


def test_its_arguments(tflite_net: Path) -> None:
    artifact, plan = read_artifact(tflite_net), Plan(threads=4, duration=2, warmup=0.5)
    assert PROGRAM.file_arguments("./0/a b.tflite") == ["--graph=./0/a b.tflite"]
    found = PROGRAM.arguments(artifact, plan, 8, memory=True)
    assert {"--num_threads=4", "--min_secs=2", "--warmup_min_secs=0.5"} <= set(found)
    assert "--report_peak_memory_footprint=true" in found
    assert "--report_peak_memory_footprint=true" not in PROGRAM.arguments(
        artifact, plan, 8, memory=False
    )
    # A dynamic batch has to be given; the input's own name need not be.
    assert [a for a in found if a.startswith("--input_layer")] == [
        *("--input_layer=input0", "--input_layer_shape=8,8,8,3"),
    ]
