"""The one kind of value that flows through EdgeOpt: a frozen, typed record that is also JSON.

msgspec was chosen over cattrs because it validates while it reads (a wrong value is reported with
its key path), is one small wheel, and reads and writes JSON itself.
"""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from edgeopt.core.errors import EdgeOptError, UsageError


class Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Base of every record: immutable, compared by value, unknown fields refused when read."""


R = TypeVar("R", bound=Record)

_NUMBERS = re.compile(rb"\[\s[-+.\de,\s]*\]")  # a list of numbers is easier to read on one line


def to_json(record: Any, *, indent: int = 2) -> bytes:
    """Encode records (or lists and dicts of them) as JSON; the same record gives the same bytes."""
    data = encoded(record)
    try:
        text = msgspec.json.format(data, indent=indent)
    except msgspec.DecodeError:  # halves of pairs
        text = json.dumps(json.loads(data), indent=indent).encode()
    return _NUMBERS.sub(lambda m: b"".join(m[0].split()).replace(b",", b", "), text) + b"\n"


def encoded(record: Any) -> bytes:
    """JSON on one line, whatever a file is called: a name that isn't UTF-8 has halves of pairs."""
    try:
        return msgspec.json.encode(record)
    except UnicodeEncodeError:
        return json.dumps(msgspec.to_builtins(record)).encode()


def decoded(data: bytes, kind: type[R]) -> R:
    """What :func:`encoded` wrote, with any white space.

    Raises:
        msgspec.MsgspecError, ValueError: If it isn't JSON, or doesn't fit ``kind``.
    """
    if rb"\ud" in data:  # half of a pair, which msgspec refuses, or a whole one
        return msgspec.convert(json.loads(data), kind)
    return msgspec.json.decode(data, type=kind)


def from_json(data: bytes, kind: type[R], *, where: str) -> R:
    """Decode a record from JSON.

    Raises:
        EdgeOptError: If it isn't JSON or doesn't fit ``kind``; names ``where`` and the key path.
    """
    try:
        return decoded(data, kind)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise EdgeOptError(
            f"{where}: {_readable(error)}",
            hint="it may be damaged, or of another version of EdgeOpt: make it again",
        ) from error


def load_toml(path: Path) -> dict[str, Any]:
    """A TOML file's content.

    Raises:
        UsageError: If it can't be read, or isn't TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or error}", hint="check the path") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: not valid TOML: it isn't text", hint="check the path") from error
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path}: not valid TOML: {error}", hint="mend it there") from error
    except RecursionError as error:
        raise UsageError(f"{path}: nested too deep", hint="mend it there") from error


def read_toml(path: Path, kind: type[R]) -> R:
    """Read a record from a TOML file.

    Raises:
        UsageError: If it can't be read, isn't TOML, or doesn't fit ``kind``; names the key path.
    """
    try:
        return msgspec.convert(load_toml(path), kind)
    except msgspec.ValidationError as error:
        from edgeopt.core.spelling import suggestion

        hint = suggestion(str(error), kind) or "mend the key it names"
        raise UsageError(f"{path}: {_readable(error)}", hint=hint) from error


def _readable(error: Exception) -> str:
    # msgspec writes the key path as `$.cpu.arch`; a TOML reader knows it as `cpu.arch`.
    return str(error).replace("`$.", "`")
