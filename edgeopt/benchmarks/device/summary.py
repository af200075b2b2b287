"""From what processes answered to what a benchmark found: the fields of ``result.BenchmarkReport``.

Here and not on the host, so that a figure from here and one from a board were made the same way.
"""

from __future__ import annotations

from typing import Any, Dict, List, Optional, Sequence

from .drift import drift
from .statistics import latency, log_ratio, ratio

SCHEMA = "edgeopt.benchmark/1"


def report(
    known: Sequence[Dict[str, Any]],
    solos: Sequence[Dict[str, Any]],
    paired: Sequence[Dict[str, Any]],
) -> Dict[str, Any]:
    """Everything about artifacts that were timed together.

    Args:
        known: Of each artifact, the fields of its measurement that were no process's to find.
        solos: Of each, the answer of the process that had it alone.
        paired: The answers of the processes that had all of them.
    """
    baseline = baseline_of([each["precision"] for each in known])
    return {
        "measurements": [
            measurement(each, solos[index], paired, index) for index, each in enumerate(known)
        ],
        "baseline": baseline,
        "ratios": [_ratio(paired, baseline, index) for index in range(len(known))],
        "notes": [],
    }


def measurement(
    known: Dict[str, Any], solo: Dict[str, Any], paired: Sequence[Dict[str, Any]], index: int
) -> Dict[str, Any]:
    """One artifact's: the fields of ``result.Measurement``."""
    summary = latency([_samples(answer, index) for answer in paired])
    warmup = solo["warmup"]
    found = {
        "runtime": solo["runtime"],
        "load_ms": solo["load_ns"] / 1e6,
        "first_inference_ms": solo["first_ns"] / 1e6,
        "warmup": {
            "count": warmup["calls"],
            "seconds": warmup["ns"] / 1e9,
            "settled": warmup["settled"],
        },
        "latency": summary,
        "throughput": known["batch"] * 1000 / summary["mean"],
        "peak_memory_bytes": solo["memory"]["peak_bytes"],
        "idle_memory_bytes": solo["memory_before"]["peak_bytes"],
        "proportional_memory_bytes": solo["memory"]["proportional_bytes"],
        "machine": solo["machine"],
        "before": solo["before"],
        "after": paired[-1]["after"],
        "stages": _stages(solo["stages"]),
        "drift": drift(paired, index),
        "schema": SCHEMA,
    }
    return dict(known, **found)


def _stages(medians: Optional[Dict[str, float]]) -> Optional[Dict[str, float]]:
    if medians is None:
        return None
    return {"{}_ms".format(part): medians[part] for part in ("h2d", "compute", "d2h", "end_to_end")}


def baseline_of(precisions: Sequence[Optional[str]]) -> int:
    """The first fp32 artifact, by the manifests; the first one if there is none."""
    return precisions.index("fp32") if "fp32" in precisions else 0


def _turns(answer: Dict[str, Any], index: int) -> List[List[int]]:
    return [block["ns"] for block in answer["blocks"] if block["artifact"] == index]


def _samples(answer: Dict[str, Any], index: int) -> List[int]:
    return [ns for turn in _turns(answer, index) for ns in turn]


def _ratio(paired: Sequence[Dict[str, Any]], baseline: int, index: int) -> Optional[Dict[str, Any]]:
    if index == baseline:
        return None
    return ratio([log_ratio(_turns(answer, index), _turns(answer, baseline)) for answer in paired])
