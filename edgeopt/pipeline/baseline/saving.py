"""Putting an artifact into a store, and a name on it."""

from __future__ import annotations

import os
from pathlib import Path

from edgeopt.benchmarks.artifact import Artifact, files_of, read_artifact
from edgeopt.core.errors import EdgeOptError, UnsupportedError
from edgeopt.core.files import sha256
from edgeopt.core.manifest import manifest_path
from edgeopt.core.record import to_json
from edgeopt.core.refusals import reporting
from edgeopt.core.scratch import scratch_folder
from edgeopt.pipeline.baseline.listing import read_name
from edgeopt.pipeline.baseline.names import check_name, stays_inside
from edgeopt.pipeline.baseline.opening import open_store
from edgeopt.pipeline.baseline.record import Baseline, Change, Saved, StoredFile
from edgeopt.pipeline.baseline.store import Store, name_key, object_key


def save(artifact: str | Path, name: str, store: str | Path | None = None) -> Saved:
    """Save an artifact under a name, with its external data and its manifest.

    What is there already is kept, and mended where it was altered. The name is written last, so
    that an interrupted save changes nothing that can be seen.

    Args:
        artifact: ``.onnx``, ``.tflite`` or ``.engine``.
        name: Small letters and digits, with ``. _ -`` between them; with or without the ``@``.
        store: A folder or a URL; ``.edgeopt/baselines`` below the current folder if None.

    Raises:
        UsageError: If it is no name, or nothing knows the store's URL.
        ModelError: If the artifact can't be read.
        UnsupportedError: If it is of another format, or keeps weights outside of its folder.
        OutputError: If the store can't be written.
    """
    name = check_name(name.removeprefix("@"))
    read = read_artifact(artifact)
    opened = open_store(store)
    sources = _sources(read)
    wanted = _baseline(name, read, sources)
    before = _before(name, opened)
    for file in wanted.files:
        _put(opened, file, sources[file.path])
    if before == wanted:
        return Saved(wanted, opened.where, Change.UNCHANGED)
    opened.write(name_key(name), to_json(wanted))
    if before is None:
        return Saved(wanted, opened.where, Change.SAVED)
    return Saved(wanted, opened.where, Change.REPLACED, before.sha256)


def _sources(artifact: Artifact) -> dict[str, Path]:
    """Every file that is saved, by its path beside the artifact; the artifact's own first."""
    files = files_of(artifact)
    if artifact.manifest is not None:
        files.append(manifest_path(artifact.path))
    folder = artifact.path.parent
    named = {Path(os.path.normpath(f.relative_to(folder))).as_posix(): f for f in files}
    for path in named:
        if not stays_inside(path):
            raise UnsupportedError(
                f"{artifact.name}: {path!r} is no file name on every system",
                hint="rename it without colons and backslashes",
            )
    return named


def _baseline(name: str, artifact: Artifact, sources: dict[str, Path]) -> Baseline:
    files = tuple(
        StoredFile(path, sha256(file), file.stat().st_size) for path, file in sources.items()
    )
    return Baseline(
        name=name,
        artifact=files[0].path,
        sha256=files[0].sha256,
        size_bytes=artifact.size_bytes,
        format=artifact.format,
        precision=artifact.precision,
        files=files,
    )


def _before(name: str, store: Store) -> Baseline | None:
    try:
        return read_name(name, store)
    except EdgeOptError:
        return None  # a damaged one is mended by saving


def _put(store: Store, file: StoredFile, source: Path) -> None:
    key = object_key(file.sha256)
    with scratch_folder() as folder:
        there = folder / "object"
        with reporting(there, "choose another folder with TMPDIR"):
            sound = store.fetch(key, there) and sha256(there) == file.sha256
    if not sound:
        store.put(key, source)
