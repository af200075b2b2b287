from __future__ import annotations

from typing import Any

import msgspec
import pytest

from edgeopt.benchmarks.conditions import Conditions, Machine, Reading
from edgeopt.benchmarks.messages import RuntimeRecord
from edgeopt.benchmarks.notes import notes
from edgeopt.benchmarks.result import Accuracy, Kind, Latency, Measurement, Ratio, Warmup
from edgeopt.core.manifest import DataRecord
from edgeopt.core.precision import Format

UNKNOWN: Reading[Any] = Reading(absent="not here")
QUIET = Conditions(
    at="2030-01-01T00:00:00+00:00",
    governor=Reading(value=("performance",)),
    frequency_mhz=UNKNOWN,
    temperature_c=Reading(value={"cpu": 50.0}),
    load_average=Reading(value=0.1),
    memory_available_bytes=UNKNOWN,
)
GOOD = Measurement(
    artifact="m.onnx",
    sha256="",
    size_bytes=1,
    format=Format.ONNX,
    precision=None,
    kind=Kind.MEASURED,
    target="host",
    runtime=RuntimeRecord(name="onnxruntime", version="1", providers=()),
    threads=1,
    batch=1,
    inputs=DataRecord(kind="random", location="seed 0", sha256=None, samples=1, used=(0, 1)),
    load_ms=1.0,
    first_inference_ms=1.0,
    warmup=Warmup(count=10, seconds=0.1, settled=True),
    latency=Latency(
        count=100,
        mean=1.0,
        stdev=0.0,
        min=1.0,
        max=1.0,
        q10=1.0,
        p50=1.0,
        p90=1.0,
        p99=None,
        process_q10=(1.0, 1.05),
    ),
    throughput=1000.0,
    peak_memory_bytes=UNKNOWN,
    idle_memory_bytes=UNKNOWN,
    proportional_memory_bytes=UNKNOWN,
    accuracy=Accuracy(absent="no data"),
    machine=Machine(
        system="Linux",
        release="6",
        architecture="x86_64",
        python="3.11",
        board=UNKNOWN,
        cpu=UNKNOWN,
        isa=UNKNOWN,
        cores=Reading(value=2),
        usable_cores=UNKNOWN,
        memory_bytes=UNKNOWN,
    ),
    before=QUIET,
    after=QUIET,
)


def changed(record: Any, **values: Any) -> Any:
    return msgspec.structs.replace(record, **values)


def test_a_quiet_machine_needs_no_notes() -> None:
    exact = Ratio(point=1.0, low=0.99, high=1.01, confidence=0.95, processes=5)
    assert notes([GOOD, GOOD], [None, exact]) == ()


@pytest.mark.parametrize(
    ("doubtful", "words"),
    [
        (changed(GOOD, threads=4), "4 threads were asked for, but there are 2 cores"),
        (changed(GOOD, before=changed(QUIET, load_average=Reading(value=3.0))), "busy before"),
        (
            changed(GOOD, before=changed(QUIET, governor=Reading(value=("powersave",)))),
            "governor is powersave",
        ),
        (
            changed(GOOD, after=changed(QUIET, temperature_c=Reading(value={"cpu": 75.0}))),
            "cpu warmed from 50 to 75",
        ),
        (
            changed(GOOD, latency=changed(GOOD.latency, process_q10=(1.0, 1.3))),
            "processes differ by 30%",
        ),
        (changed(GOOD, warmup=changed(GOOD.warmup, settled=False)), "had not settled"),
    ],
)
def test_what_casts_doubt_is_said(doubtful: Measurement, words: str) -> None:
    (note,) = notes([doubtful], [None])
    assert words in note


def test_a_wide_interval_is_said() -> None:
    wide = Ratio(point=1.0, low=0.8, high=1.2, confidence=0.95, processes=5)
    (note,) = notes([GOOD, GOOD], [None, wide])
    assert "0.80..1.20" in note


def test_what_is_unknown_casts_no_doubt() -> None:
    blank = changed(QUIET, governor=UNKNOWN, temperature_c=UNKNOWN, load_average=UNKNOWN)
    assert notes([changed(GOOD, before=blank, after=blank)], [None]) == ()
