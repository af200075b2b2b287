"""Numbers in pages: no more digits than are known."""

from __future__ import annotations


def decibels(value: float | None) -> str:
    """An SQNR; None is one without noise.

    >>> decibels(17.26), decibels(None), decibels(-999.0)
    ('17.3 dB', 'exact', 'only noise')
    """
    if value is None:
        return "exact"
    return "only noise" if value <= -999 else f"{value:.1f} dB"


def number(value: float) -> str:
    """Three digits that count.

    >>> number(0.00012345), number(640.4), number(0.0)
    ('0.000123', '640', '0')
    """
    return f"{value:.3g}"


def milliseconds(value: float) -> str:
    """A time with its unit.

    >>> milliseconds(0.0123), milliseconds(12.345)
    ('0.012 ms', '12.3 ms')
    """
    return f"{value:.3f} ms" if value < 1 else f"{value:.3g} ms"


def share(value: float | None) -> str:
    """A share from 0 to 1.

    >>> share(0.123), share(0.00001), share(0.0), share(None)
    ('12.3 %', '<0.01 %', '0 %', '')
    """
    if value is None:
        return ""
    if 0 < value < 0.0001:
        return "<0.01 %"
    return f"{100 * value:.3g} %"


def percent(value: float | None) -> str:
    """A share from 0 to 1 whose hundredths count.

    >>> percent(0.91253), percent(1.0), percent(None)
    ('91.25 %', '100 %', '')
    """
    if value is None:
        return ""
    return "100 %" if value == 1 else f"{100 * value:.2f} %"
