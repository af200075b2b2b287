r"""Text that a terminal shows and doesn't obey.

Whatever a file, a tensor, a layer or a target is called may hold what moves the cursor, sets the
window's title, turns the line around or begins another. Such characters are shown as Python writes
them: ``\x1b``, ``\n``, ``\u202e``; half of a character that isn't UTF-8 as ``\udcff``.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import Any, TypeVar

R = TypeVar("R")

_STYLE = re.compile(r"(\x1b\[[0-9;]*m)")
_COMMAND = re.compile(r"^(\s*)::")
_BEYOND = re.compile(r"[^\n -~]")


def shown(text: str) -> str:
    r"""Text as part of one line.

    >>> shown("a\x1b[2J\nb")
    'a\\x1b[2J\\nb'
    """
    return text if text.isprintable() else "".join(map(_shown, text))


def shown_lines(text: str, *, styled: bool = False) -> str:
    r"""Text whose line breaks are meant; with ``styled`` colours are, too.

    A line that begins as GitHub's workflow commands do would be one in a run of theirs.

    >>> shown_lines("a\tb\n::stop-commands::x")
    'a\\tb\n\\x3a:stop-commands::x'
    """
    lines = (_COMMAND.sub(r"\1\\x3a:", line) for line in text.split("\n"))
    return "\n".join(map(_styled if styled else shown, lines))


def shown_record(value: R) -> R:
    """A record with every text in it as :func:`shown` has it; the same one if nothing changes."""
    return _walk(value)  # type: ignore[no-any-return]


def shown_json(data: bytes) -> bytes:
    r"""JSON that means the same, with ``\uXXXX`` for what a terminal would obey."""
    return _BEYOND.sub(lambda match: _escaped(match[0]), data.decode()).encode()


def _shown(char: str) -> str:
    return char if char.isprintable() else char.encode("unicode_escape").decode()


def _styled(line: str) -> str:
    parts = _STYLE.split(line)
    return "".join(part if i % 2 else shown(part) for i, part in enumerate(parts))


def _escaped(char: str) -> str:
    if char.isprintable():
        return char
    units = char.encode("utf-16-be")
    return "".join(f"\\u{units[i : i + 2].hex()}" for i in range(0, len(units), 2))


def _walk(value: Any) -> Any:
    if isinstance(value, Enum):
        return value
    if isinstance(value, str):
        return shown(value)
    if hasattr(value, "__struct_fields__"):
        import msgspec  # the command line's help does without

        found = {name: getattr(value, name) for name in value.__struct_fields__}
        new = {name: _walk(each) for name, each in found.items()}
        changed = {name: each for name, each in new.items() if each is not found[name]}
        return msgspec.structs.replace(value, **changed) if changed else value
    if isinstance(value, dict):
        return {_walk(key): _walk(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        walked = [_walk(each) for each in value]
        same = all(a is b for a, b in zip(walked, value, strict=True))
        return value if same else type(value)(walked)
    return value
