"""Numbers for people: a unit, and no more digits than are known."""

from __future__ import annotations

ABSENT = "-"


def size(count: int | None) -> str:
    """Bytes.

    >>> size(512), size(190_300), size(17_230_000)
    ('512 B', '190 kB', '17.2 MB')
    """
    if count is None:
        return ABSENT
    if count < 1000:
        return f"{count} B"
    value, unit = next(
        (count / 1000**power, unit)
        for power, unit in ((1, "kB"), (2, "MB"), (3, "GB"))
        if count < 999.5 * 1000**power or unit == "GB"
    )
    return f"{three(value)} {unit}"


def three(value: float) -> str:
    """Three digits that count, never in scientific notation above a thousandth.

    >>> three(0.4123), three(41.23), three(4123.0), three(0.0)
    ('0.412', '41.2', '4123', '0')
    """
    if value == 0:
        return "0"
    if abs(value) >= 99.95:
        return f"{value:.0f}"
    return f"{value:#.3g}"


def milliseconds(value: float | None) -> str:
    """A time, the unit being in the heading."""
    return ABSENT if value is None else three(value)


def decibels(value: float | None) -> str:
    """SQNR; None is a bit-identical output."""
    return "exact" if value is None else f"{value:.1f} dB"


def percent(share: float | None) -> str:
    """A share from 0 to 1.

    >>> percent(0.9146), percent(1.0)
    ('91.46 %', '100 %')
    """
    if share is None:
        return ABSENT
    return "100 %" if share == 1 else f"{100 * share:.2f} %"


def plural(count: int, noun: str, ending: str = "s") -> str:
    """A count with its noun.

    >>> plural(1, "sample"), plural(2000, "sample")
    ('1 sample', '2,000 samples')
    """
    return f"{count:,} {noun}{'' if count == 1 else ending}"
