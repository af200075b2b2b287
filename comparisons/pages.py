"""Tables inside of the documentation, between two marks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

DOCS = Path(__file__).resolve().parents[1] / "docs"
COMPARISONS = DOCS / "comparisons.md"
OPERATORS = DOCS / "reference" / "tflite-operators.md"
ERROR_RATES = DOCS / "guide" / "error-rates.md"
PAGES = (COMPARISONS, OPERATORS, ERROR_RATES)


def renew(name: str, lines: Sequence[str]) -> None:
    """Write a table wherever the documentation has marks for it."""
    for page in PAGES:
        if f"<!-- {name}: begin -->" in page.read_text(encoding="utf-8"):
            put(page, name, lines, write=True)


def put(page: Path, name: str, lines: Sequence[str], *, write: bool) -> None:
    """Write a table between the marks of its name; or print it.

    Args:
        page: A Markdown file that has ``<!-- name: begin -->`` and ``<!-- name: end -->``.
        name: Of the table.
        lines: Its lines.
        write: Whether to write.
    """
    if not write:
        print("\n".join(lines))
        return
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    before, _, rest = page.read_text(encoding="utf-8").partition(begin)
    _, mark, after = rest.partition(end)
    if not mark:
        raise SystemExit(f"{page} has no marks for {name!r}")
    page.write_text(f"{before}{begin}\n" + "\n".join(lines) + f"\n{end}{after}", encoding="utf-8")
