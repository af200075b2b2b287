"""Each budget's name, how its value is read, and which check it is about."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from edgeopt.benchmarks.gate.budgets import read_limit, read_share, read_tail
from edgeopt.core.errors import UsageError
from edgeopt.pipeline.parsing import parse_agreement, parse_drop

Read = Callable[[Any, str], Any]
"""Reads a value; the second argument is what it is called in messages."""


@dataclass(frozen=True)
class Key:
    """A budget.

    Args:
        part: Which field of ``gate.budgets.Budgets`` it is.
        check: The name of its check; that of a tail is the tail's own.
        read: Reads its value.
        example: A value.
    """

    part: str
    check: str
    read: Read
    example: str


def _milliseconds(said: Any, label: str) -> Any:
    return read_limit(said, "ms", label)


def _bytes(said: Any, label: str) -> Any:
    return read_limit(said, "bytes", label)


def _decibels(said: Any, label: str) -> float:
    if not math.isfinite(said):
        raise UsageError(f"{label} is {said}", hint="use a number of dB")
    return float(said)


KEYS = {
    "max-slowdown": Key("slowdown", "latency", read_share, "3%"),
    "max-tail": Key("tail", "", read_tail, "p99:10%"),
    "max-latency": Key("latency", "median", _milliseconds, "5ms"),
    "max-memory": Key("memory", "memory", _bytes, "64MB"),
    "max-size": Key("size", "size", _bytes, "+0%"),
    "max-load": Key("load", "load", _milliseconds, "+20%"),
    "max-drop": Key("drop", "accuracy", parse_drop, "0.5pp"),
    "min-sqnr": Key("sqnr", "sqnr", _decibels, "30"),
    "min-agreement": Key("agreement", "agreement", parse_agreement, "99%"),
}
"""By the name of the option without its dashes, and of the key in a project's file."""
