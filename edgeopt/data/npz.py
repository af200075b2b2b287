"""``.npz`` files: one array for each model input, samples along axis 0, ``labels`` beside them.

The arrays are read from the archive sample by sample, so a file larger than memory is fine, and
compressed ones too.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO, TYPE_CHECKING

import numpy as np
from numpy.lib import format as npy

from edgeopt.core.errors import DataError
from edgeopt.core.files import sha256
from edgeopt.core.manifest import DataRecord
from edgeopt.core.preprocessing import Preprocessing
from edgeopt.core.tensors import TensorSpec
from edgeopt.data.dataset import Entry, Sample
from edgeopt.data.fit import fit
from edgeopt.data.pixels import normalize_array

if TYPE_CHECKING:
    from numpy.typing import NDArray

LABELS = "labels"


@dataclass(frozen=True)
class _Header:
    shape: tuple[int, ...]
    dtype: np.dtype[np.generic]

    @property
    def bytes_each(self) -> int:
        return int(np.prod(self.shape[1:], dtype=np.int64)) * self.dtype.itemsize


class NpzDataset:
    """Samples of an ``.npz`` file.

    Args:
        path: The file.
        specs: The model's inputs.
        preprocessing: Applied to image inputs; without it integers are cast and never scaled.

    Raises:
        DataError: If it isn't a readable ``.npz``, lacks an input, or its arrays don't match.
    """

    def __init__(
        self, path: Path, specs: tuple[TensorSpec, ...], preprocessing: Preprocessing | None = None
    ) -> None:
        self.path, self.specs, self.preprocessing = path, specs, preprocessing
        self._headers = _headers_of(path)
        self._check()

    def _check(self) -> None:
        wanted = [spec.name for spec in self.specs]
        missing = [name for name in wanted if name not in self._headers]
        if missing:
            have = ", ".join(sorted(self._headers)) or "no arrays"
            raise DataError(
                f"{self.path}: no array named {missing[0]!r} (it has: {have})",
                hint=f"name the arrays as the model's inputs: {', '.join(wanted)}",
            )
        counts = {n: h.shape[0] for n, h in self._headers.items() if n in (*wanted, LABELS)}
        if len(set(counts.values())) > 1:
            told = ", ".join(f"{n}: {c}" for n, c in counts.items())
            raise DataError(
                f"{self.path}: the arrays have different numbers of samples ({told})",
                hint="axis 0 of every array is the samples",
            )

    @property
    def labelled(self) -> bool:
        """Whether there is an array called ``labels``."""
        return LABELS in self._headers

    def __len__(self) -> int:
        return self._headers[self.specs[0].name].shape[0]

    @cached_property
    def _sha256(self) -> str:
        return sha256(self.path)

    def record(self, start: int = 0, stop: int | None = None) -> DataRecord:
        """What the manifest says of the samples ``[start, stop)``."""
        used = (start, len(self) if stop is None else min(stop, len(self)))
        return DataRecord(
            kind="npz",
            location=str(self.path),
            sha256=self._sha256,
            samples=len(self),
            used=used,
        )

    def samples(self, start: int = 0, stop: int | None = None) -> Iterator[Sample]:
        """The samples ``[start, stop)``, streamed from the archive."""
        for entry in self.entries(start, stop):
            inputs = {s.name: fit(entry.arrays[s.name], s, entry.origin) for s in self.specs}
            yield Sample(inputs, entry.label, entry.origin)

    def entries(self, start: int = 0, stop: int | None = None) -> Iterator[Entry]:
        """The same before they are made to fit."""
        end = len(self) if stop is None else min(stop, len(self))
        names = [s.name for s in self.specs] + ([LABELS] if self.labelled else [])
        with ExitStack() as stack, _readable(self.path):
            archive = stack.enter_context(zipfile.ZipFile(self.path))
            streams = {
                name: stack.enter_context(_opened(archive, name, self._headers[name], start))
                for name in names
            }
            for index in range(start, end):
                rows = {n: _next_row(streams[n], self._headers[n]) for n in names}
                arrays = {s.name: self._prepare(rows[s.name], s) for s in self.specs}
                label = _class_or_array(rows.get(LABELS))
                yield Entry(arrays, label, f"{self.path.name}[{index}]")

    def _prepare(self, row: NDArray[np.generic], spec: TensorSpec) -> NDArray[np.generic]:
        if self.preprocessing is None or len(spec.shape) != 4:
            return row
        return normalize_array(row, self.preprocessing, spec)


def stored_specs(path: Path) -> tuple[TensorSpec, ...]:
    """What the arrays of numbers in an ``.npz`` are, its labels left out.

    Raises:
        DataError: If it isn't a readable ``.npz``, or holds nothing else.
    """
    found = tuple(
        TensorSpec(name=name, dtype=header.dtype.name, shape=("N", *header.shape[1:]))
        for name, header in _headers_of(path).items()
        if name != LABELS and header.dtype.kind in "biuf"
    )
    if not found:
        raise DataError(
            f"{path}: no arrays of numbers in it", hint="write one for each input of the model"
        )
    return found


def _headers_of(path: Path) -> dict[str, _Header]:
    with _readable(path), zipfile.ZipFile(path) as archive:
        return _headers(archive, path)


def _class_or_array(label: NDArray[np.generic] | None) -> int | NDArray[np.generic] | None:
    if label is not None and label.ndim == 0 and label.dtype.kind in "iu":
        return int(label.item())
    return label


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise DataError(f"{path}: no such file", hint="check the path") from error
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        OSError,
        ValueError,
        RuntimeError,  # zipfile's, of members that seem encrypted or compressed in another way
    ) as error:
        raise DataError(
            f"{path}: not a readable .npz ({str(error) or type(error).__name__})",
            hint="write it again with numpy.savez(file, input_name=array)",
        ) from error


def _headers(archive: zipfile.ZipFile, path: Path) -> dict[str, _Header]:
    found = {}
    for member in archive.namelist():
        if member.endswith(".npy"):
            with archive.open(member) as file:
                found[member.removesuffix(".npy")] = _read_header(file, f"{path}: {member}")
    return found


def _read_header(file: IO[bytes], where: str) -> _Header:
    version = npy.read_magic(file)
    read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    shape, fortran, dtype = read(file)
    if dtype.hasobject:
        raise DataError(
            f"{where}: holds pickled Python objects, which are never loaded",
            hint="store plain numbers",
        )
    if not shape:
        raise DataError(f"{where}: is a single value", hint="axis 0 is the samples")
    if fortran and len(shape) > 1:
        raise DataError(
            f"{where}: is stored in Fortran order, which can't be streamed",
            hint="write it again with numpy.ascontiguousarray(array)",
        )
    return _Header(shape, dtype)


@contextmanager
def _opened(
    archive: zipfile.ZipFile, name: str, header: _Header, start: int
) -> Iterator[IO[bytes]]:
    with archive.open(f"{name}.npy") as file:
        _read_header(file, name)
        file.seek(file.tell() + start * header.bytes_each)
        yield file


def _next_row(file: IO[bytes], header: _Header) -> NDArray[np.generic]:
    data = file.read(header.bytes_each)
    if len(data) < header.bytes_each:
        raise EOFError("it ends early")
    return np.frombuffer(data, dtype=header.dtype).reshape(header.shape[1:])
