"""The file of a history: a line of JSON a comparison, only ever added to."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import msgspec

from edgeopt.benchmarks.history.entry import Entry
from edgeopt.benchmarks.result import Ratio
from edgeopt.core.errors import UsageError
from edgeopt.core.files import append
from edgeopt.core.record import decoded, encoded
from edgeopt.core.refusals import reporting

_OTHER = "name another file with --history"


def read(path: Path) -> list[Entry]:
    """The entries of a history, the oldest first; none of a file that isn't there.

    Raises:
        UsageError: If the file can't be read, or a line of it is no entry.
    """
    try:
        text = path.read_text(encoding="utf-8") if path.exists() else ""
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it isn't text"
        raise UsageError(f"{path}: {reason}", hint=f"check the path, or {_OTHER}") from error
    return [*_entries(path, text)]


def _entries(path: Path, text: str) -> Iterator[Entry]:
    # Not splitlines(): a name may have what Unicode calls the end of a line.
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            entry = decoded(line.encode("utf-8"), Entry)
        except (msgspec.MsgspecError, ValueError) as error:
            raise _no_entry(path, number, str(error).replace("`$.", "`")) from error
        if not _possible(entry.ratio):
            raise _no_entry(path, number, "its ratio can't be")
        yield entry


def _possible(ratio: Ratio) -> bool:
    """Whether somebody's line has a ratio that can be reckoned with."""
    ordered = 0 < ratio.low <= ratio.point <= ratio.high < math.inf
    return ordered and ratio.processes > 1 and 0 < ratio.confidence < 1


def _no_entry(path: Path, number: int, why: str) -> UsageError:
    return UsageError(
        f"{path}, line {number}: no comparison of a history: {why}",
        hint=f"mend or remove the line, or {_OTHER}",
    )


def add(path: Path, entry: Entry) -> None:
    """Add a line; in one write, so that two at once don't mix.

    Raises:
        OutputError: If it can't be written; then nothing of it is.
    """
    with reporting(path, _OTHER):
        path.touch()
        append(path, _break_of(path) + encoded(entry) + b"\n")


def _break_of(path: Path) -> bytes:
    """A line break where the last line has none: an editor may have saved the file so."""
    data = path.read_bytes()
    return b"\n" if data and not data.endswith(b"\n") else b""
