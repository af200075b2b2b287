"""What is wrong with a file's key or value, told with what is allowed and what was nearly meant."""

from __future__ import annotations

import difflib
import re
import types
import typing
from collections.abc import Iterable
from enum import Enum
from typing import Any, Literal, get_args, get_origin, get_type_hints

import msgspec

_UNKNOWN = re.compile(r"unknown field `(?P<key>[^`]+)`")
_INVALID = re.compile(r"Invalid enum value (?P<value>'[^']*'|\S+)")
_PATH = re.compile(r"`(?:key` in `)?\$(?P<path>[^`]*)`")
_STEP = re.compile(r"\.(\w[\w-]*)|\[([^\]]*)\]")


def suggestion(message: str, kind: type) -> str:
    """What could be added to a validation error of msgspec's; empty if nothing helps.

    Args:
        message: The error's text.
        kind: The record that was read.
    """
    path = _PATH.search(message)
    steps = _STEP.findall(path["path"]) if path else []
    in_key = "`key` in" in message
    found = _at(kind, [name or "[]" for name, _ in steps])
    if unknown := _UNKNOWN.search(message):
        return nearest(unknown["key"], (name for k in found for name in _fields(k)))
    if invalid := _INVALID.search(message):
        inner = [part for k in found for part in (_keys(k) if in_key else [k])]
        return nearest(invalid["value"].strip("'"), (v for k in inner for v in _values(k)))
    return ""


def nearest(given: str, allowed: Iterable[str]) -> str:
    """What is allowed, and which of it was nearly meant; empty if nothing is."""
    known = list(dict.fromkeys(allowed))
    if not known:
        return ""
    near = difflib.get_close_matches(given, known, n=1)
    meant = f"did you mean {near[0]}? " if near else ""
    return f"{meant}allowed: {', '.join(known)}"


def _at(kind: Any, steps: list[str]) -> list[Any]:
    """The types that stand at a key path."""
    here = _plain(kind)
    for step in steps:
        here = [inner for k in here for inner in _step(k, step)]
    return here


def _step(kind: Any, step: str) -> list[Any]:
    if step != "[]":
        hints = _hints(kind)
        names = {f.encode_name: f.name for f in msgspec.structs.fields(kind)} if hints else {}
        return _plain(hints[names[step]]) if step in names else []
    arguments = [a for a in get_args(kind) if a is not Ellipsis]
    return _plain(arguments[-1]) if arguments else []


def _plain(kind: Any) -> list[Any]:
    """A union's members."""
    if get_origin(kind) in (types.UnionType, typing.Union):
        return [one for member in get_args(kind) for one in _plain(member)]
    return [kind]


def _keys(kind: Any) -> list[Any]:
    return [get_args(kind)[0]] if get_origin(kind) is dict else []


def _hints(kind: Any) -> dict[str, Any]:
    is_record = isinstance(kind, type) and issubclass(kind, msgspec.Struct)
    return get_type_hints(kind) if is_record else {}


def _fields(kind: Any) -> list[str]:
    return [f.encode_name for f in msgspec.structs.fields(kind)] if _hints(kind) else []


def _values(kind: Any) -> list[str]:
    if get_origin(kind) is Literal:
        return [str(value) for value in get_args(kind)]
    is_enum = isinstance(kind, type) and issubclass(kind, Enum)
    return [str(member.value) for member in kind] if is_enum else []
