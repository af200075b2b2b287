"""What a candidate may cost, and how good it must be: values as a user writes them."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from edgeopt.core.errors import UsageError

_NUMBER = r"(?P<number>\d+(?:\.\d+)?)"
_SHARE = re.compile(_NUMBER + r"\s*%")
_TAIL = re.compile(r"p(?P<quantile>90|99)\s*:\s*" + _NUMBER + r"\s*%")
_AMOUNT = re.compile(r"(?P<more>\+)?" + _NUMBER + r"\s*(?P<unit>%|[a-zA-Z]+)")
_UNITS = {
    "bytes": {"B": 1.0, "kB": 1e3, "MB": 1e6, "GB": 1e9, "KiB": 2.0**10, "MiB": 2.0**20,
              "GiB": 2.0**30},
    "ms": {"us": 1e-3, "ms": 1.0, "s": 1e3},
}  # fmt: skip


@dataclass(frozen=True)
class Limit:
    """The most that something may be.

    Args:
        said: As the user wrote it.
        value: In the figure's own unit, or a share of the baseline's that may come on top.
        relative: Whether it is such a share.
    """

    said: str
    value: float
    relative: bool

    def most(self, baseline: float) -> float:
        """The most that is allowed beside this baseline."""
        return baseline * (1 + self.value) if self.relative else self.value


@dataclass(frozen=True)
class Tail:
    """How much slower a tail may be.

    Args:
        said: As the user wrote it.
        quantile: 0.9 or 0.99.
        slowdown: As a share.
    """

    said: str
    quantile: float
    slowdown: float

    @property
    def name(self) -> str:
        """``p99``."""
        return f"p{100 * self.quantile:.0f}"


@dataclass(frozen=True)
class Budgets:
    """What is checked; None where nothing was asked.

    Args:
        slowdown: How much slower the candidate may be, as a share.
        tail: The same of a tail.
        latency: Of its median, in ms.
        memory: Of its peak memory, in bytes.
        size: Of its file, in bytes.
        load: Of its load time, in ms.
        drop: How far accuracy may fall, as a share: 0.005 is half a percentage point.
        sqnr: The least SQNR between its outputs and the baseline's, in dB.
        agreement: The least share of samples with the baseline's class.
        sources: Where each is from, by the name of its check.
    """

    slowdown: float
    tail: Tail | None = None
    latency: Limit | None = None
    memory: Limit | None = None
    size: Limit | None = None
    load: Limit | None = None
    drop: float | None = None
    sqnr: float | None = None
    agreement: float | None = None
    sources: Mapping[str, str] = field(default_factory=dict)


def read_share(said: str | float, option: str) -> float:
    """``3%`` as 0.03; a number is taken as a share.

    Raises:
        UsageError: If it is neither.
    """
    if not isinstance(said, str):
        if math.isfinite(said) and said >= 0:
            return float(said)
        raise _wrong(said, option, "0.03")
    match = _SHARE.fullmatch(said.strip())
    if match is None:
        raise _wrong(said, option, "3%")
    return float(match["number"]) / 100


def read_tail(said: str, option: str) -> Tail:
    """``p99:10%``.

    Raises:
        UsageError: If it is something else.
    """
    match = _TAIL.fullmatch(said.strip())
    if match is None:
        raise _wrong(said, option, "p99:10% or p90:10%")
    return Tail(said.strip(), int(match["quantile"]) / 100, float(match["number"]) / 100)


def read_limit(said: str, unit: str, option: str) -> Limit:
    """``5MB``, ``20ms``, or ``+10%`` of the baseline's.

    Args:
        said: What the user wrote.
        unit: ``bytes`` or ``ms``.
        option: Whose value it is.

    Raises:
        UsageError: If it is something else.
    """
    units = _UNITS[unit]
    match = _AMOUNT.fullmatch(said.strip())
    example = f"{'5MB' if unit == 'bytes' else '20ms'}, or +10% of the baseline's"
    if match is None:
        raise _wrong(said, option, example)
    number, relative = float(match["number"]), match["unit"] == "%"
    if relative != (match["more"] is not None) or not (relative or match["unit"] in units):
        raise _wrong(said, option, f"{example}; units: {', '.join(units)}")
    value = number / 100 if relative else number * units[match["unit"]]
    if value == 0 and not relative:
        raise _wrong(said, option, example)
    return Limit(said.strip(), value, relative)


def _wrong(said: object, option: str, example: str) -> UsageError:
    return UsageError(f"{option} is {str(said)!r}", hint=f"write it as in {example}")
