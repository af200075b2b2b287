"""A bundle: artifacts, inputs, reference outputs and the program that measures them on a device.

``device/bundle.py`` is what reads it there, as plain JSON.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from edgeopt.benchmarks.plan import Plan
from edgeopt.benchmarks.process import PROGRAM
from edgeopt.benchmarks.result import Accuracy
from edgeopt.core.manifest import DataRecord, Verification
from edgeopt.core.precision import Format, Precision
from edgeopt.core.record import Record

if TYPE_CHECKING:
    import numpy as np

CONTENT = "bundle.json"
RUN = "run.pyz"

_PACKAGE = "edgeopt_device"
_LONG_AGO = (1980, 1, 1, 0, 0, 0)


class Answers(Record, frozen=True):
    """What an artifact answered here; ``device/request.py`` tells what each field means."""

    samples: str
    references: str
    outputs: tuple[str, ...]
    counted: tuple[int, ...]
    labels: tuple[int, ...]
    scores: int
    tops: tuple[int, ...]


class BundledArtifact(Record, frozen=True):
    """One artifact of a bundle; every file is named as it is in the bundle.

    Args:
        file: The artifact.
        sha256: Its digest.
        size_bytes: Its size, the files of its external data included.
        format: What it is.
        precision: From its manifest; None without one.
        runtime: What runs it.
        names: Its inputs' names, in the file's order.
        inputs: The inputs that it is timed with.
        batch: Samples that one call of it takes.
        fed_with: Where those inputs are from.
        accuracy: What it will be evaluated on, or why it won't.
        verification: What its outputs will be compared with; ``outputs`` is empty.
        answers: What it answered here.
    """

    file: str
    sha256: str
    size_bytes: int
    format: Format
    precision: Precision | None
    runtime: str
    names: tuple[str, ...]
    inputs: str
    batch: int
    fed_with: DataRecord
    accuracy: Accuracy
    verification: Verification
    answers: Answers


class Bundle(Record, frozen=True):
    """The content of ``bundle.json``.

    Args:
        by: What made it, with its version.
        target: What the device is called in the results.
        plan: How the artifacts are timed.
        artifacts: What is measured.
        files: The digest of every file but the program and this one.
    """

    by: str
    target: str
    plan: Plan
    artifacts: tuple[BundledArtifact, ...]
    files: dict[str, str]
    schema: Literal["edgeopt.bundle/1"] = "edgeopt.bundle/1"


def program() -> bytes:
    """The program of a bundle, ``run.pyz``: the sources in ``device/`` and nothing else.

    The same sources give the same bytes.
    """
    sources = sorted(p for p in PROGRAM.glob("*.py") if p.name != "__main__.py")
    start = PROGRAM / "start.py"
    content = io.BytesIO(b"#!/usr/bin/env python3\n")
    content.seek(0, io.SEEK_END)
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        _add(archive, "__main__.py", start)
        for source in sources:
            if source != start:
                _add(archive, f"{_PACKAGE}/{source.name}", source)
    return content.getvalue()


def _add(archive: zipfile.ZipFile, name: str, source: Path) -> None:
    info = zipfile.ZipInfo(name, _LONG_AGO)
    info.compress_type = zipfile.ZIP_DEFLATED
    info.external_attr = 0o644 << 16
    archive.writestr(info, source.read_bytes())


class CallFile:
    """Writes arrays call by call, so that no more than one call's are in memory.

    A ``.npz`` of ``<call>.<index>``; used as a context.

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        self._archive = zipfile.ZipFile(path, "w", zipfile.ZIP_STORED)
        self._calls = 0

    def __enter__(self) -> CallFile:
        return self

    def __exit__(self, *_: object) -> None:
        self._archive.close()

    def add(self, arrays: Iterable[np.ndarray]) -> None:
        """Write the next call's."""
        import numpy as np

        for index, array in enumerate(arrays):
            info = zipfile.ZipInfo(f"{self._calls}.{index}.npy", _LONG_AGO)
            with self._archive.open(info, "w", force_zip64=True) as member:
                np.lib.format.write_array(member, np.ascontiguousarray(array), allow_pickle=False)
        self._calls += 1
