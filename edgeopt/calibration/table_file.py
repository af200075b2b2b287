"""A calibration table as a file: one ``.npz`` of plain arrays.

The same table gives the same bytes. Nothing in it is ever executed.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from numpy.lib import format as npy

from edgeopt.calibration.histogram import Histogram
from edgeopt.calibration.table import (
    SCHEMA,
    CalibrationTable,
    ChannelStats,
    TableHeader,
    TensorStats,
)
from edgeopt.core.errors import DataError
from edgeopt.core.files import writing
from edgeopt.core.record import from_json, to_json

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edgeopt.calibration.hessians import Hessian

    Arrays = dict[str, NDArray[Any]]

_HESSIAN = "hessian:"
_DAMAGE = (
    OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error, msgspec.MsgspecError,
    RuntimeError,
)  # fmt: skip
"""What reading a file that isn't a whole table comes to; the last is what zipfile says of a member
that seems encrypted, or compressed in another way."""


def save_table(path: Path, table: CalibrationTable) -> None:
    """Write a table, under a temporary name first.

    Raises:
        OutputError: If it can't be written.
    """
    with (
        writing(path) as file,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
    ):
        for name, column in _columns(table).items():
            column.write(archive, f"{name}.npy")


def load_table(path: Path) -> CalibrationTable:
    """Read a table.

    Raises:
        DataError: If it isn't there, is damaged, or of another version.
    """
    with _opened(path) as archive:
        return _from_arrays({name: archive[name] for name in archive.files}, path)


def read_header(path: Path) -> TableHeader:
    """Read what a table belongs to, and nothing else of it.

    Raises:
        DataError: As :func:`load_table`.
    """
    with _opened(path) as archive:
        return _header(archive["header"], path)


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    try:
        with np.load(path, allow_pickle=False) as archive:
            yield archive
    except FileNotFoundError as error:
        raise DataError(f"{path}: no such file", hint="make it: edgeopt calibrate") from error
    except _DAMAGE as error:
        reason = "it holds other arrays" if isinstance(error, KeyError) else type(error).__name__
        raise DataError(
            f"{path}: not a readable calibration table ({reason})",
            hint="make it again with `edgeopt calibrate`",
        ) from error


@dataclass(frozen=True)
class _Column:
    """Arrays that a file holds as one, end to end.

    They are never joined in memory: with a running model there, a table's second copy would be
    what decides how much memory calibration takes.
    """

    dtype: np.dtype[Any]
    parts: Sequence[NDArray[Any]]

    def write(self, archive: zipfile.ZipFile, name: str) -> None:
        """Write them as a ``.npy``; the level of compression is the archive's, the date none."""
        size = sum(part.size for part in self.parts)
        shape = self.parts[0].shape if len(self.parts) == 1 else (size,)
        head = {"descr": npy.dtype_to_descr(self.dtype), "fortran_order": False, "shape": shape}
        large = size * self.dtype.itemsize >= zipfile.ZIP64_LIMIT
        with archive.open(name, "w", force_zip64=large) as member:
            npy.write_array_header_1_0(member, head)
            for part in self.parts:
                flat = np.ascontiguousarray(part, self.dtype).reshape(-1)
                member.write(flat.view(np.uint8).data)


def _columns(table: CalibrationTable) -> dict[str, _Column]:
    stats = list(table.tensors.values())
    channels = [s.channels for s in stats]
    known = [c for c in channels if c]
    counts = [s.histogram.counts for s in stats]
    return {
        "header": _column(np.frombuffer(to_json(table.header), np.uint8)),
        "names": _column(np.array(list(table.tensors), dtype=np.str_)),
        "samples": _column(np.array([s.samples for s in stats], np.int64)),
        "sizes": _column(np.array([len(s.histogram.codes) for s in stats], np.int64)),
        "codes": _Column(np.dtype(np.uint16), [s.histogram.codes for s in stats]),
        "counts": _Column(_narrowest(counts), counts),
        "widths": _column(np.array([-1 if c is None else len(c.sums) for c in channels], np.int64)),
        "totals": _column(np.array([0 if c is None else c.count for c in channels], np.int64)),
        "sums": _Column(np.dtype(np.int64), [c.sums for c in known]),
        "lows": _Column(np.dtype(np.float32), [_ends(c, c.low) for c in known]),
        "highs": _Column(np.dtype(np.float32), [_ends(c, c.high) for c in known]),
        **{
            f"{_HESSIAN}{key}:{node}": _column(array)
            for node, hessian in table.hessians.items()
            for key, array in hessian.to_arrays().items()
        },
    }


def _column(array: NDArray[Any]) -> _Column:
    return _Column(array.dtype, [array])


def _ends(channels: ChannelStats, ends: NDArray[np.float32] | None) -> NDArray[np.float32]:
    return np.full(len(channels.sums), np.nan, np.float32) if ends is None else ends


def _narrowest(counts: Sequence[NDArray[np.int64]]) -> np.dtype[Any]:
    # Half the bytes, in all but tables of billions.
    fits = all(each.max(initial=0) < 1 << 32 for each in counts)
    return np.dtype(np.uint32 if fits else np.int64)


def _from_arrays(arrays: Arrays, path: Path) -> CalibrationTable:
    header = _header(arrays["header"], path)
    _check(arrays)
    ends, places = np.cumsum(arrays["sizes"]), np.cumsum(np.maximum(arrays["widths"], 0))
    codes, counts = np.split(arrays["codes"], ends[:-1]), np.split(arrays["counts"], ends[:-1])
    sums, lows, highs = (np.split(arrays[k], places[:-1]) for k in ("sums", "lows", "highs"))
    tensors = {}
    for i, name in enumerate(arrays["names"]):
        stats = ChannelStats(sums[i], int(arrays["totals"][i]), lows[i], highs[i])
        if np.isnan(lows[i]).any():
            stats = replace(stats, low=None, high=None)
        tensors[str(name)] = TensorStats(
            Histogram(codes[i], counts[i].astype(np.int64)),
            stats if int(arrays["widths"][i]) >= 0 else None,
            int(arrays["samples"][i]),
        )
    return CalibrationTable(header, tensors, _hessians(arrays))


_KINDS = {
    "names": "U", "samples": "iu", "sizes": "iu", "widths": "iu", "totals": "iu", "codes": "u",
    "counts": "iu", "sums": "i", "lows": "f", "highs": "f",
}  # fmt: skip
"""The arrays of a file, and numpy's letters for the types that each may have."""


def _check(arrays: Arrays) -> None:
    """Refuse arrays that don't fit one another.

    Raises:
        KeyError, ValueError: If one is missing, or of another type or size.
    """
    for name, kinds in _KINDS.items():
        least = -1 if name == "widths" else 0
        array = arrays[name]
        if array.ndim != 1 or array.dtype.kind not in kinds:
            raise ValueError(f"{name} are of another type")
        if kinds == "iu" and array.min(initial=0) < least:
            raise ValueError(f"{name} are negative")
    tensors, elements = len(arrays["names"]), int(arrays["sizes"].sum())
    channels = int(np.maximum(arrays["widths"], 0).sum())
    for size, names in (
        (tensors, ("samples", "sizes", "widths", "totals")),
        (elements, ("codes", "counts")),
        (channels, ("sums", "lows", "highs")),
    ):
        if any(len(arrays[name]) != size for name in names):
            raise ValueError("the arrays don't fit one another")


def _header(stored: NDArray[Any], path: Path) -> TableHeader:
    text = stored.tobytes()
    # Before the rest of the header is read: another version's may hold other fields.
    version = msgspec.json.decode(text, type=_Versioned).schema
    if version != SCHEMA:
        raise DataError(
            f"{path}: is a calibration table of version {version}, not {SCHEMA}",
            hint="make it again with `edgeopt calibrate`",
        )
    return from_json(text, TableHeader, where=str(path))


class _Versioned(msgspec.Struct):
    schema: int = 0


def _hessians(arrays: Arrays) -> dict[str, Hessian]:
    parts: dict[str, Arrays] = {}
    for name, array in arrays.items():
        if name.startswith(_HESSIAN):
            key, _, node = name.removeprefix(_HESSIAN).partition(":")
            parts.setdefault(node, {})[key] = array
    if not parts:
        return {}
    from edgeopt.calibration.hessians import Hessian

    return {node: Hessian.from_arrays(found) for node, found in parts.items()}
