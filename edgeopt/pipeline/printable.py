"""Text of another machine's, without what a terminal would obey, and not without end."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

R = TypeVar("R", bound=msgspec.Struct)

_MOST = 500


def printable(text: str) -> str:
    """The first of it, other characters as question marks."""
    return "".join(c if c.isprintable() else "?" for c in text[:_MOST])


def printable_record(record: R) -> R:
    """A record with all of its text made printable."""
    return msgspec.convert(_printable(msgspec.to_builtins(record)), type(record))


def _printable(value: Any) -> Any:
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, dict):
        return {printable(str(name)): _printable(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_printable(one) for one in value]
    return value
