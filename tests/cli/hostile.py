"""Names that a terminal would obey, a table would break on, or a shell would take apart."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

ALL = (
    "\x1b[2J\x1b]8;;u\x07\x9b31m\x7f\u202e\u2028\ta\r\n::error::owned\n| b |"
    "<img src=x onerror=alert(1)>'\"&`**[bold]a[-link=b]%s%(c)d{0}{d!r}$(e)\\;#!  --json"
)
"""What clears the screen, opens a link, turns the line around, begins others; HTML, Markdown,
rich's markup, formats, the shell's; an option."""

LONG = "n" * 200

UNDECODED = "\udcff\udc80a"
"""What Python makes of bytes that aren't UTF-8."""

_OURS = re.compile(r"\x1b\[[0-9;]*m|\x1b\[\?25[lh]|\r?\x1b\[(?:1A\x1b\[)?2K|\r")
"""Colours, and what a bar is drawn with: the cursor hidden and shown, a line removed."""


def check_harmless(output: bytes, *, styled: bool = False, annotated: bool = False) -> str:
    """Refuse any byte that a terminal, or a runner of workflows, would obey.

    Args:
        output: What was written to a terminal.
        styled: Whether colours may be in it.
        annotated: Whether a workflow command may.

    Returns:
        The text.
    """
    text = output.decode()  # which refuses what isn't UTF-8
    plain = _OURS.sub("", text) if styled else text
    raw = {char for char in plain if char != "\n" and not char.isprintable()}
    assert not raw, f"{raw} in {text!r}"
    commands = [line for line in plain.splitlines() if line.lstrip().startswith("::")]
    assert annotated or not commands, commands
    return text


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        assert not any(name.startswith("on") for name, _ in attrs), attrs


def check_table(markdown: str) -> None:
    """Refuse a table whose rows haven't the same number of cells."""
    rows = [line for line in markdown.splitlines() if line.startswith("|")]
    assert rows
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {rows[0].count("|")}


def check_page(path: Path) -> None:
    """Refuse a page in which a name became a tag, or steers the line it is on."""
    text = check_harmless(path.read_bytes(), annotated=True)
    page = _Page()
    page.feed(text)
    assert "img" not in page.tags
