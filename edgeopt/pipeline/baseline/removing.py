"""Taking a name out of a store, and what no name points at any more."""

from __future__ import annotations

from pathlib import Path

from edgeopt.pipeline.baseline.listing import known, list
from edgeopt.pipeline.baseline.names import check_name
from edgeopt.pipeline.baseline.opening import open_store
from edgeopt.pipeline.baseline.record import Baseline, Pruned
from edgeopt.pipeline.baseline.store import OBJECTS, name_key, object_key


def remove(name: str, store: str | Path | None = None) -> Baseline:
    """Take a name out of a store; its files stay until :func:`prune`.

    Args:
        name: The name, with or without the ``@``.
        store: A folder or a URL; ``.edgeopt/baselines`` below the current folder if None.

    Returns:
        What it pointed at.

    Raises:
        UsageError: If it is no name.
        MissingBaselineError: If there is no such baseline.
        ModelError: If the store can't be read.
        OutputError: If it can't be written.
    """
    opened = open_store(store)
    found = known(check_name(name.removeprefix("@")), opened)
    opened.remove(name_key(found.name))
    return found


def prune(store: str | Path | None = None) -> Pruned:
    """Remove the files that no name points at, such as those of baselines that were replaced.

    Not while another saves into the store: its files come before its name.

    Args:
        store: A folder or a URL; ``.edgeopt/baselines`` below the current folder if None.

    Raises:
        ModelError: If the store can't be read.
        EdgeOptError: If a name's file is damaged: what it pointed at isn't known then.
        OutputError: If the store can't be written.
    """
    opened = open_store(store)
    wanted = {file.sha256 for baseline in list(store) for file in baseline.files}
    there = opened.files(OBJECTS)
    gone = [digest for digest in there if digest not in wanted]
    for digest in gone:
        opened.remove(object_key(digest))
    return Pruned(store=opened.where, removed=tuple(gone), kept=len(there) - len(gone))
