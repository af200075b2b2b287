"""What a name points at."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from edgeopt.core.precision import Format, Precision
from edgeopt.core.record import Record


class StoredFile(Record, frozen=True):
    """One file of a baseline.

    Args:
        path: Where it is beside the artifact, with ``/`` between folders.
        sha256: Its digest, which is also its name in the store.
        size_bytes: Its size.
    """

    path: str
    sha256: str
    size_bytes: int


class Baseline(Record, frozen=True):
    """An artifact under a name. It holds no time, so that saving the same again changes nothing.

    Args:
        name: The name, without the ``@``.
        artifact: The artifact's file name.
        sha256: Its digest.
        size_bytes: Its size, the files of its external data included.
        format: What it is.
        precision: From its manifest; None without one.
        files: The artifact, the files of its external data, and its manifest if it has one.
    """

    name: str
    artifact: str
    sha256: str
    size_bytes: int
    format: Format
    precision: Precision | None
    files: tuple[StoredFile, ...]
    schema: Literal["edgeopt.baseline/1"] = "edgeopt.baseline/1"


class Change(StrEnum):
    """What saving did."""

    SAVED = "saved"
    UNCHANGED = "unchanged"
    """The name pointed at the same files already."""
    REPLACED = "replaced"


class Pruned(Record, frozen=True):
    """What was removed from a store.

    Args:
        store: The folder or URL.
        removed: The digests of the files that no name pointed at.
        kept: How many files are left.
    """

    store: str
    removed: tuple[str, ...]
    kept: int
    schema: Literal["edgeopt.baseline.pruned/1"] = "edgeopt.baseline.pruned/1"


class Saved(Record, frozen=True):
    """A baseline that was saved.

    Args:
        baseline: What the name points at now.
        store: The folder or URL.
        change: What saving did.
        replaced: The digest of the artifact that the name pointed at before; None unless another
            took its place.
    """

    baseline: Baseline
    store: str
    change: Change
    replaced: str | None = None
    schema: Literal["edgeopt.baseline.saved/1"] = "edgeopt.baseline.saved/1"
