"""Reading what options are given as: the same words on the command line and in Python."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterable
from enum import StrEnum
from typing import TypeVar

from edgeopt.calibration.ranges import RangeMethod
from edgeopt.converters.registry import formats
from edgeopt.core.effort import Effort
from edgeopt.core.errors import UsageError
from edgeopt.core.precision import Format
from edgeopt.targets.hardware import Budget

E = TypeVar("E", bound=StrEnum)
AUTO = "auto"


def parse_layers(value: str | Iterable[str]) -> tuple[str, ...]:
    """Read ``conv1,*/attention/*`` or ``["conv1", ...]``: names and patterns, each once."""
    texts = value.split(",") if isinstance(value, str) else value
    return tuple(dict.fromkeys(text.strip() for text in texts if text.strip()))


def parse_names(kind: type[E], values: str | Iterable[str], option: str) -> tuple[E, ...]:
    """Read ``fp32,int8`` or ``["fp32", "int8"]`` as members of an enum, each once.

    Raises:
        UsageError: If one isn't a member; lists those there are.
    """
    texts = values.split(",") if isinstance(values, str) else [str(v) for v in values]
    found = dict.fromkeys(_member(kind, t.strip(), option) for t in texts if t.strip())
    if not found:
        raise UsageError(f"{option} is empty", hint=f"one or more of: {', '.join(_offered(kind))}")
    return tuple(found)


def parse_one(kind: type[E], value: str | None, option: str) -> E | None:
    """Read an option that takes one member of an enum.

    Raises:
        UsageError: If it isn't one; lists those there are.
    """
    return None if value is None else parse_names(kind, [value], option)[0]


def _member(kind: type[E], text: str, option: str) -> E:
    try:
        return kind(text)
    except ValueError:
        near = difflib.get_close_matches(text, list(kind), n=1)
        meant = f"did you mean {near[0]}? " if near else ""
        raise UsageError(
            f"{option}: no {kind.__name__.lower()} {text!r}",
            hint=f"{meant}known: {', '.join(_offered(kind))}",
        ) from None


def _offered(kind: type[E]) -> list[str]:
    return [*formats()] if issubclass(kind, Format) else [*kind]


_UNITS = {"": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "kib": 2**10, "mib": 2**20, "gib": 2**30}


def parse_size(value: int | str | None, option: str) -> int | None:
    """Read bytes: ``2GB``, ``512MiB``, or a number.

    Raises:
        UsageError: If it isn't one.
    """
    if value is None:
        return None
    found = re.fullmatch(r"(\d+(?:\.\d+)?) *([a-z]*)", str(value).strip().lower())
    if found is None or found[2] not in _UNITS or float(found[1]) == 0:
        raise UsageError(f"{option}: {value!r} isn't a size", hint="write it as 2GB or 512MiB")
    return int(float(found[1]) * _UNITS[found[2]])


def parse_milliseconds(value: float | str | None, option: str) -> float | None:
    """Read a latency in ms: ``5``, ``5ms``, ``300us``, ``0.2s``.

    Raises:
        UsageError: If it isn't one.
    """
    if value is None:
        return None
    found = re.fullmatch(r"(\d+(?:\.\d+)?) *(us|ms|s|)", str(value).strip().lower())
    if found is None or float(found[1]) == 0:
        raise UsageError(f"{option}: {value!r} isn't a latency", hint="write it as 5ms or 300us")
    return float(found[1]) * {"us": 1e-3, "ms": 1.0, "s": 1e3, "": 1.0}[found[2]]


def read_budget(
    max_latency: float | str | None, max_memory: int | str | None, max_size: int | str | None
) -> Budget:
    """What an artifact may cost.

    Raises:
        UsageError: If a limit can't be read.
    """
    memory, size = parse_size(max_memory, "--max-memory"), parse_size(max_size, "--max-size")
    return Budget(
        max_latency_ms=parse_milliseconds(max_latency, "--max-latency"),
        max_memory_mb=None if memory is None else memory / 1e6,
        max_size_mb=None if size is None else size / 1e6,
    )


def parse_seconds(value: float, option: str) -> float:
    """Check a time limit.

    Raises:
        UsageError: If it isn't more than 0.
    """
    if not 0 < value < math.inf:
        raise UsageError(f"{option} is {value} s", hint="use more than 0")
    return value


def parse_effort(value: str | None) -> Effort | None:
    """Read ``--effort``.

    Raises:
        UsageError: If there is no such effort; lists those there are.
    """
    return parse_one(Effort, value, "--effort")


def parse_ranges(value: str) -> RangeMethod | None:
    """Read ``--ranges``: a method, or ``auto``.

    Raises:
        UsageError: If there is no such method; lists those there are.
    """
    return None if value == AUTO else parse_names(RangeMethod, [value], "--ranges")[0]


def parse_drop(text: str | None, option: str = "--max-drop") -> float | None:
    """Read ``--max-drop``, or what is written like it: percentage points of accuracy.

    >>> parse_drop("0.5pp")
    0.005

    Raises:
        UsageError: If it isn't a number of them.
    """
    return None if text is None else _number(text, "pp", option, "0.5pp") / 100


def parse_agreement(text: str | float | None, option: str = "--min-agreement") -> float | None:
    """Read ``--min-agreement``, or what is written like it: ``99%``, or ``0.99``.

    Raises:
        UsageError: If it isn't a share.
    """
    if text is None:
        return None
    shown = str(text)
    unit = "%" if shown.endswith("%") else ""
    share = _number(shown, unit, option, "99%") / (100 if unit else 1)
    if not 0 <= share <= 1:
        raise UsageError(f"{option}: {shown} is not a share", hint="write 99% or 0.99")
    return share


def _number(text: str, unit: str, option: str, example: str) -> float:
    try:
        if not text.endswith(unit):
            raise ValueError
        value = float(text.removesuffix(unit))
        if not 0 <= value < float("inf"):
            raise ValueError
    except ValueError:
        raise UsageError(f"{option}: {text!r} can't be read", hint=f"write {example}") from None
    return value
