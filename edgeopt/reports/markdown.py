"""Pieces of GitHub's Markdown: for a job's summary, or a comment on a pull request."""

from __future__ import annotations

import html
from collections.abc import Sequence

_MARKDOWN = str.maketrans({c: f"\\{c}" for c in "\\`*_{}[]()#|~$!"} | {"\n": " ", "\r": " "})


def plain(text: str) -> str:
    """Text that is nothing but text to Markdown and HTML, whatever a file is called."""
    shown = "".join(c if c.isprintable() or c in "\r\n" else "?" for c in text)
    return html.escape(shown.translate(_MARKDOWN), quote=False)


def row(words: Sequence[str]) -> str:
    """A line of a table."""
    return f"| {' | '.join(words)} |"
