"""How a figure is written down: by the comparison that finds it, or by the test that holds it."""

from __future__ import annotations

from functools import partial

from figures import Figure, Goal, Kind, at_least


def by_run(
    section: str, key: str, what: str, goal: Goal | None = None, kind: Kind = Kind.MEASURED
) -> Figure:
    """What a comparison measures.

    Args:
        section: The comparison.
        key: The figure's.
        what: What it says, in a line of Markdown.
        goal: Its bound; None where it is only reported.
        kind: What stands behind it.
    """
    return Figure(key, what, goal, section, f"comparisons/run.py {section}", kind)


counted = partial(by_run, kind=Kind.COUNTED)
"""What a comparison counts: it follows from the files and the data alone."""


def by_test(key: str, what: str, test: str, kind: Kind = Kind.TESTED) -> Figure:
    """A law.

    Args:
        key: The figure's.
        what: What it says, in a line of Markdown.
        test: The one that holds it, as pytest names it.
        kind: What stands behind it.
    """
    return Figure(key, what, at_least(1, aim="holds"), "laws", f"pytest {test}", kind)
