"""A place for baselines: what a folder and a URL both do."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

ELSEWHERE = "choose another place with --store"
"""The other thing to do where a store can't be written."""

NAMES, OBJECTS = "names", "objects"


class Store(Protocol):
    """Files by key: ``objects/...`` never change once they are there, ``names/...`` do."""

    @property
    def where(self) -> str:
        """What to call it, without a password."""
        ...

    def read(self, key: str) -> bytes | None:
        """A small file; None if it isn't there."""
        ...

    def fetch(self, key: str, to: Path) -> bool:
        """Copy a file to ``to``; False if it isn't there."""
        ...

    def put(self, key: str, file: Path) -> None:
        """Copy ``file`` into the store, in place of what is there."""
        ...

    def write(self, key: str, data: bytes) -> None:
        """Write a small file, in place of what is there; a reader sees the old one or the new."""
        ...

    def remove(self, key: str) -> None:
        """Remove a file that is there."""
        ...

    def files(self, folder: str) -> Sequence[str]:
        """The names of the files in a folder, sorted; none if it isn't there."""
        ...


def name_key(name: str) -> str:
    """Where a name is."""
    return f"{NAMES}/{name}.json"


def object_key(digest: str) -> str:
    """Where a file is."""
    return f"{OBJECTS}/{digest}"
