"""Tables and blocks of lines, as text for standard output."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterable, Sequence

from edgeopt.core.printable import shown

_UNBOUNDED = 10_000


def table(titles: Sequence[str], rows: Iterable[Sequence[str]], *, left: int = 1) -> str:
    """Lay out a table: the first ``left`` columns to the left, figures to the right.

    On a terminal it takes the terminal's width, and is wider only rather than cut a figure; in a
    file or a pipe it is as wide as it needs.

    Args:
        titles: One a column; a column without any value is left out.
        rows: Of cells.
        left: How many columns hold words.
    """
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.measure import Measurement
    from rich.table import Table

    kept = [list(map(shown, row)) for row in rows]
    drawn = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    columns = [i for i in range(len(titles)) if any(row[i] for row in kept)]
    for i in columns:
        drawn.add_column(
            titles[i],
            justify="left" if i < left else "right",
            no_wrap=i > 0,
            overflow="fold",
            min_width=min(20, max(len(row[i]) for row in kept)) if i == 0 else None,
        )
    for row in kept:
        drawn.add_row(*(row[i] for i in columns))
    page, on_terminal = _Page(), sys.stdout.isatty()
    console = Console(
        file=page,
        force_terminal=on_terminal,
        markup=False,
        highlight=False,
        emoji=False,
        legacy_windows=False,  # click translates colours for an old console when it writes them
        width=None if on_terminal else _UNBOUNDED,
    )
    options = console.options.update(max_width=_UNBOUNDED)
    console.width = max(console.width, Measurement.get(console, options, drawn).minimum)
    console.print(drawn)
    return _stripped(page.getvalue())


class _Page(io.StringIO):
    """Text with standard output's encoding, where rich looks whether its rules can be drawn."""

    @property
    def encoding(self) -> str:  # type: ignore[override]  # a StringIO has none, and says so
        return sys.stdout.encoding or "ascii"


def lines(pairs: Iterable[tuple[str, str]]) -> str:
    """Two columns: what, and its value; pairs without a value are left out."""
    kept = [(shown(what), shown(value)) for what, value in pairs if value]
    width = max((len(what) for what, _ in kept), default=0)
    return "".join(f"{what:<{width}}  {value}\n" for what, value in kept)


def _stripped(text: str) -> str:
    return "".join(f"{line.rstrip()}\n" for line in text.splitlines())
