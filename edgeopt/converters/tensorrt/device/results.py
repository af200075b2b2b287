"""A measurement as EdgeOpt's own benchmark writes it, from times that were taken on the device."""

from __future__ import annotations

import math
from typing import Any, Dict, List, Optional

SCHEMA = "edgeopt.benchmark/1"
FEWEST = {0.9: 64, 0.99: 662}
"""Runs that a tail needs: MLPerf's early-stopping rule, as everywhere in EdgeOpt."""


def latency(ms: List[float]) -> Dict[str, Any]:
    """The summary of one process's calls.

    Args:
        ms: The time of each call, in ms.
    """
    mean = sum(ms) / len(ms)
    spread = sum((each - mean) ** 2 for each in ms) / max(1, len(ms) - 1)
    low = quantile(ms, 0.1)
    return {
        "count": len(ms),
        "mean": mean,
        "stdev": math.sqrt(spread) if len(ms) > 1 else 0.0,
        "min": min(ms),
        "max": max(ms),
        "q10": low,
        "p50": quantile(ms, 0.5),
        "p90": _tail(ms, 0.9),
        "p99": _tail(ms, 0.99),
        "process_q10": [low],
    }


def quantile(values: List[float], q: float) -> float:
    """Linear between order statistics: definition 7 of Hyndman and Fan (1996), numpy's default."""
    ordered = sorted(values)
    place = q * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])


def _tail(ms: List[float], q: float) -> Optional[float]:
    return quantile(ms, q) if len(ms) >= FEWEST[q] else None


def measurement(
    manifest: Dict[str, Any], name: str, batch: int, taken: Dict[str, Any], seconds: float
) -> Dict[str, Any]:
    """The content of ``<engine>.<target>.benchmark.json``.

    Args:
        manifest: The engine's.
        name: The engine's path.
        batch: Samples a call.
        taken: What was measured: ``ms`` of each call, ``stages``, ``runtime``, ``load_ms``,
            ``first_ms``, ``warmup``, ``memory_before``, ``memory``, ``machine``, ``before`` and
            ``after``.
        seconds: How long it was to take; only to say so.
    """
    summary = latency(taken["ms"])
    absent = "timed in one process of {:g} s from a kit, without data".format(seconds)
    return {
        "artifact": name,
        "sha256": manifest["sha256"],
        "size_bytes": manifest["size_bytes"],
        "format": "tensorrt",
        "precision": manifest["precision"],
        "kind": "measured",
        "target": manifest["recipe"]["target"],
        "runtime": taken["runtime"],
        "threads": 1,
        "batch": batch,
        "inputs": {
            "kind": "random", "location": "seed 0", "sha256": None, "samples": batch,
            "used": [0, batch],
        },
        "load_ms": taken["load_ms"],
        "first_inference_ms": taken["first_ms"],
        "warmup": taken["warmup"],
        "latency": summary,
        "throughput": batch * 1000 / summary["mean"],
        "peak_memory_bytes": taken["memory"]["peak_bytes"],
        "idle_memory_bytes": taken["memory_before"]["peak_bytes"],
        "proportional_memory_bytes": taken["memory"]["proportional_bytes"],
        "accuracy": {"values": None, "absent": absent, "data": None},
        "machine": taken["machine"],
        "before": taken["before"],
        "after": taken["after"],
        "stages": taken["stages"],
        "schema": SCHEMA,
    }  # fmt: skip
