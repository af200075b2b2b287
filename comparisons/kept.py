"""What was measured is kept, so that an interrupted comparison goes on where it was.

One JSON file a section in ``comparisons/out/``. An entry holds what it depends on (the command, the
versions, the digests of files), and counts only as long as all of that is the same.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

OUT = Path(__file__).resolve().parent / "out"
SINCE = "COMPARISONS_SINCE"
"""The environment variable before whose time (s since 1970) no time counts: ``run.py --again``."""


class Kept:
    """The results of one section.

    Args:
        section: Its name: the file is ``out/<section>.json``.
    """

    def __init__(self, section: str) -> None:
        self.path = OUT / f"{section}.json"

    def get(self, name: str, depends: Mapping[str, str], *, lasting: bool = False) -> Any:
        """What was kept under a name; None if nothing was, or what it depends on has changed.

        Args:
            name: The name.
            depends: What it depends on now.
            lasting: It follows from that alone, unlike a time: ``--again`` doesn't ask for it.
        """
        entry = self._entries().get(name)
        if entry is None or entry["depends"] != dict(depends):
            return None
        current = lasting or entry["at"] >= float(os.environ.get(SINCE, "0"))
        return entry["value"] if current else None

    def put(self, name: str, depends: Mapping[str, str], value: Any) -> None:
        """Keep a JSON value under a name, at once."""
        entries = self._entries()
        entries[name] = {"at": round(time.time()), "depends": dict(depends), "value": value}
        self.path.parent.mkdir(parents=True, exist_ok=True)
        scratch = self.path.with_suffix(".json.new")
        scratch.write_text(json.dumps(entries, indent=1), encoding="utf-8")
        scratch.replace(self.path)

    def _entries(self) -> dict[str, Any]:
        if not self.path.exists():
            return {}
        entries: dict[str, Any] = json.loads(self.path.read_text(encoding="utf-8"))
        return entries


def digest(*paths: Path) -> str:
    """The first 16 hexadecimal digits of the SHA-256 of files' contents."""
    return _digest(*((str(path), path.stat().st_mtime_ns) for path in paths))


@cache
def _digest(*files: tuple[str, int]) -> str:
    total = hashlib.sha256()
    for path, _ in files:
        with open(path, "rb") as file:  # noqa: PTH123 - a cached function takes plain strings
            total.update(hashlib.file_digest(file, "sha256").digest())
    return total.hexdigest()[:16]
