"""A baseline as a file, for as long as it is compared with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from edgeopt.core.errors import ModelError, UsageError
from edgeopt.core.files import sha256
from edgeopt.core.refusals import reporting
from edgeopt.core.scratch import scratch_folder
from edgeopt.pipeline.baseline.listing import known
from edgeopt.pipeline.baseline.names import check_name
from edgeopt.pipeline.baseline.opening import open_store
from edgeopt.pipeline.baseline.record import Baseline, StoredFile
from edgeopt.pipeline.baseline.store import Store, object_key

_SIGN = "@"


def is_named(artifact: str | Path) -> bool:
    """Whether it is ``@NAME`` and no path; a file of such a name is ``./@NAME``."""
    return str(artifact).startswith(_SIGN)


@contextmanager
def fetched(artifact: str | Path, store: str | Path | None = None) -> Iterator[str | Path]:
    """The artifact's path; a baseline's is in a temporary folder, its digests checked.

    Args:
        artifact: A path, or ``@NAME``.
        store: Where the name is: a folder or a URL; ``.edgeopt/baselines`` if None.

    Raises:
        UsageError: If there is a store, but no name.
        MissingBaselineError: If there is no such baseline.
        ModelError: If a file of it is gone or was altered, or the store can't be read.
    """
    if not is_named(artifact):
        if store is not None:
            raise UsageError(
                f"--store is for baselines that have a name, and {artifact} has none",
                hint="name one as in `edgeopt compare @main`, or leave --store out",
            )
        yield artifact
        return
    opened = open_store(store)
    baseline = known(check_name(str(artifact).removeprefix(_SIGN)), opened)
    with scratch_folder() as scratch:
        # What goes wrong with it later is told with its path: the name is in it.
        folder = scratch / f"{_SIGN}{baseline.name}"
        for file in baseline.files:
            _fetch(baseline, file, opened, folder / file.path)
        yield folder / baseline.artifact


def _fetch(baseline: Baseline, file: StoredFile, store: Store, to: Path) -> None:
    with reporting(to, "choose another folder with TMPDIR"):
        to.parent.mkdir(parents=True, exist_ok=True)
        there = store.fetch(object_key(file.sha256), to)
        found = sha256(to) if there else None
    if found == file.sha256:
        return
    what = "is gone" if found is None else f"was altered: its SHA-256 is {found[:12]}..."
    raise ModelError(
        f"baseline {baseline.name!r}: {file.path} ({file.sha256[:12]}...) {what} in {store.where}",
        hint=f"save it again with `edgeopt baseline save ARTIFACT --name {baseline.name}`",
    )
