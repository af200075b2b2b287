"""Figures in the sentences of findings."""

from __future__ import annotations


def a_share(value: float) -> str:
    """A share from 0 to 1, in percent.

    >>> a_share(0.123), a_share(0.05), a_share(0.00001), a_share(0.0)
    ('12.3%', '5%', '0.001%', '0%')
    """
    return f"{100 * value:.3g}%"


def plural(count: int, noun: str) -> str:
    """A count with its noun.

    >>> plural(1, "sample"), plural(2000, "sample")
    ('1 sample', '2,000 samples')
    """
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def some(examples: list[str], count: int) -> str:
    """The first of several, and how many more there are.

    >>> some(["a", "b"], 5)
    'a, b and 3 more'
    """
    more = count - len(examples)
    return ", ".join(examples) + (f" and {more:,} more" if more else "")
