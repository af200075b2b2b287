"""What a store holds."""

from __future__ import annotations

from pathlib import Path

from edgeopt.core.errors import ModelError
from edgeopt.core.record import from_json
from edgeopt.pipeline.baseline.names import check_name, check_stored, unknown_name
from edgeopt.pipeline.baseline.opening import open_store
from edgeopt.pipeline.baseline.record import Baseline
from edgeopt.pipeline.baseline.store import NAMES, Store, name_key

_SUFFIX = ".json"


def list(store: str | Path | None = None) -> tuple[Baseline, ...]:
    """The baselines of a store, by name; none where there is no store.

    Args:
        store: A folder or a URL; ``.edgeopt/baselines`` below the current folder if None.

    Raises:
        ModelError: If the store can't be read.
        EdgeOptError: If a name's file is damaged.
    """
    opened = open_store(store)
    found = (read_name(name, opened) for name in names(opened))
    return tuple(baseline for baseline in found if baseline is not None)


def show(name: str, store: str | Path | None = None) -> Baseline:
    """What one name points at.

    Args:
        name: The name, with or without the ``@``.
        store: A folder or a URL; ``.edgeopt/baselines`` below the current folder if None.

    Raises:
        UsageError: If it is no name.
        MissingBaselineError: If there is no such baseline.
        ModelError: If the store can't be read.
        EdgeOptError: If the name's file is damaged.
    """
    return known(check_name(name.removeprefix("@")), open_store(store))


def known(name: str, store: Store) -> Baseline:
    """What a name points at; :class:`MissingBaselineError` if there is none."""
    found = read_name(name, store)
    if found is None:
        raise unknown_name(name, names(store), store.where)
    return found


def names(store: Store) -> tuple[str, ...]:
    """The names in a store."""
    found = store.files(NAMES)
    return tuple(file.removesuffix(_SUFFIX) for file in found if file.endswith(_SUFFIX))


def read_name(name: str, store: Store) -> Baseline | None:
    """What a name points at; None if there is no such name."""
    data = store.read(name_key(name))
    if data is None:
        return None
    where = f"{store.where}/{name_key(name)}"
    found = from_json(data, Baseline, where=where)
    for file in found.files:
        check_stored(file.path, file.sha256, where)
    first = found.files[0] if found.files else None
    if first is None or (first.path, first.sha256) != (found.artifact, found.sha256):
        raise ModelError(
            f"{where}: doesn't begin with its artifact", hint="save the baseline again"
        )
    return found
