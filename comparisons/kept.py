"""What was measured is kept, so that an interrupted comparison goes on where it was.

One JSON file a section in ``comparisons/out/``. An entry holds what it depends on (the command, the
versions, the digests of files), and counts only as long as all of that is the same.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

OUT = Path(__file__).resolve().parent / "out"
SINCE = "COMPARISONS_SINCE"
"""The environment variable before whose time (s since 1970) no time counts: ``run.py --again``."""


@dataclass(frozen=True)
class Origin:
    """Where a kept result comes from.

    Args:
        at: When it was measured, in s since 1970.
        commit: The last one that had changed our sources, then; empty where it wasn't written down.
        machine: Its processor.
    """

    at: int
    commit: str
    machine: str


_asked: list[set[Origin]] = []
"""What was used of what was kept, for each :func:`origins` that is being watched."""


@contextmanager
def origins() -> Iterator[set[Origin]]:
    """Watch which results are used inside, new ones and kept ones; the set grows meanwhile."""
    _asked.append(set())
    try:
        yield _asked[-1]
    finally:
        _asked.pop()


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
        if not lasting and entry["at"] < float(os.environ.get(SINCE, "0")):
            return None
        _used(entry)
        return entry["value"]

    def put(self, name: str, depends: Mapping[str, str], value: Any) -> None:
        """Keep a JSON value under a name, at once."""
        entries = self._entries()
        entry = {
            "at": round(time.time()), "commit": commit(), "machine": cpu(),
            "depends": dict(depends), "value": value,
        }  # fmt: skip
        entries[name] = entry
        _used(entry)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        scratch = self.path.with_suffix(".json.new")
        scratch.write_text(json.dumps(entries, indent=1), encoding="utf-8")
        scratch.replace(self.path)

    def _entries(self) -> dict[str, Any]:
        if not self.path.exists():
            return {}
        entries: dict[str, Any] = json.loads(self.path.read_text(encoding="utf-8"))
        return entries


def once(
    kept: Kept,
    name: str,
    depends: Mapping[str, str],
    measure: Callable[[], Any],
    *,
    lasting: bool = False,
) -> Any:
    """What was kept under a name, or else what is measured now and kept: a JSON value.

    Args:
        kept: Where.
        name: The name.
        depends: What it depends on now.
        measure: Measures it.
        lasting: It follows from that alone, unlike a time.
    """
    found = kept.get(name, depends, lasting=lasting)
    if found is None:
        print(f"  {name}", file=sys.stderr, flush=True)
        found = measure()
        kept.put(name, depends, found)
    return found


def _used(entry: Mapping[str, Any]) -> None:
    for watched in _asked:
        machine = entry.get("machine") or entry["depends"].get("machine", "")
        watched.add(Origin(entry["at"], entry.get("commit", ""), machine))


@cache
def commit() -> str:
    """The last commit that changed our sources; with a ``+`` if they have changed since."""
    git, sources = ["git", "-C", str(OUT.parent)], ["--", "../edgeopt"]
    ran = subprocess.run(
        [*git, "log", "-1", "--format=%h", "--abbrev=9", *sources],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if ran.returncode:
        return ""
    changed = subprocess.run([*git, "diff", "--quiet", "HEAD", *sources], check=False)
    return ran.stdout.strip() + ("+" if changed.returncode else "")


def cpu() -> str:
    """The processor's name."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.split(":", 1)[1].strip() for line in text.splitlines() if "model name" in line]
    return names[0] if names else platform.machine()


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
