"""A folder of images: class sub-folders, a ``labels.csv``, or just pictures."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

from edgeopt.core.errors import DataError
from edgeopt.core.files import sha256
from edgeopt.core.manifest import DataRecord
from edgeopt.core.preprocessing import Preprocessing
from edgeopt.core.tensors import TensorSpec
from edgeopt.data.dataset import Entry, Sample
from edgeopt.data.fit import fit
from edgeopt.data.pixels import channel_axis, picture_to_array

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm"})
LABELS = "labels.csv"
_EXAMPLE = "--resize 256 --crop 224 --scale 1/255 --mean 0.485,0.456,0.406 --std 0.229,0.224,0.225"

_SIZE = "give --resize and --crop that make pictures of the model's size"


class ImageFolder:
    """Pictures below a folder, in the order of their paths.

    Labels come from ``labels.csv`` (lines of ``path,class index``; a header is allowed), or else
    from sub-folders: the class is the place of the sub-folder's name in alphabetical order, as
    torchvision's ``ImageFolder`` has it.

    Args:
        folder: The folder.
        specs: The model's inputs: exactly one, an image.
        preprocessing: The contract. There is no default: a wrong guess costs accuracy silently.

    Raises:
        DataError: If the model doesn't take one image, there is no contract, or no picture.
    """

    def __init__(
        self, folder: Path, specs: tuple[TensorSpec, ...], preprocessing: Preprocessing | None
    ) -> None:
        if len(specs) != 1:
            raise DataError(
                f"{folder}: a folder of images feeds one input, but the model has {len(specs)}",
                hint="give a .npz with an array for each input",
            )
        channel_axis(specs[0])
        self._entries = _listed(folder)
        if not self._entries:
            raise DataError(
                f"{folder}: no images in it", hint=f"put {', '.join(sorted(SUFFIXES))} files there"
            )
        if preprocessing is None:
            raise DataError(
                f"{folder}: how its images become the model's input isn't known",
                hint=f"give the preprocessing the model was trained with, such as {_EXAMPLE}",
            )
        self.folder, self.spec, self.preprocessing = folder, specs[0], preprocessing
        self.specs: tuple[TensorSpec, ...] = specs

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the sub-folders that are classes; none where something else labels."""
        if (self.folder / LABELS).is_file() or not self.labelled:
            return ()
        first = (path.relative_to(self.folder).parts[0] for path, _ in self._entries)
        return tuple(sorted(set(first)))

    @property
    def labelled(self) -> bool:
        """Whether ``labels.csv`` or class sub-folders give every picture a class."""
        return all(label is not None for _, label in self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    @cached_property
    def _sha256(self) -> str:
        return sha256(self.folder)

    def record(self, start: int = 0, stop: int | None = None) -> DataRecord:
        """What the manifest says of the samples ``[start, stop)``."""
        return DataRecord(
            kind="images",
            location=str(self.folder),
            sha256=self._sha256,
            samples=len(self),
            used=(start, len(self) if stop is None else min(stop, len(self))),
        )

    def samples(self, start: int = 0, stop: int | None = None) -> Iterator[Sample]:
        """The samples ``[start, stop)``, decoded one at a time."""
        for entry in self.entries(start, stop):
            fitted = fit(entry.arrays[self.spec.name], self.spec, entry.origin, hint=_SIZE)
            yield Sample({self.spec.name: fitted}, entry.label, entry.origin)

    def entries(self, start: int = 0, stop: int | None = None) -> Iterator[Entry]:
        """The same, of whatever size the contract makes them."""
        for path, label in self._entries[start:stop]:
            array = _decode(path, self.preprocessing, self.spec)
            yield Entry({self.spec.name: array}, label, path.relative_to(self.folder).as_posix())


def _decode(path: Path, contract: Preprocessing, spec: TensorSpec):  # type: ignore[no-untyped-def]
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as picture:
            return picture_to_array(picture, contract, spec)
    except (OSError, SyntaxError, ValueError, UnidentifiedImageError) as error:
        raise DataError(
            f"{path}: not a readable image ({error})", hint="remove or replace it"
        ) from error
    except Image.DecompressionBombError as error:
        raise DataError(
            f"{path}: too large to decode safely", hint="shrink or remove it"
        ) from error


def _listed(folder: Path) -> list[tuple[Path, int | None]]:
    try:
        return _entries(folder)
    except OSError as error:
        raise DataError(
            f"{folder}: can't be read: {error.strerror} ({error.filename})",
            hint="check its permissions, and that nothing changes it meanwhile",
        ) from error


def _entries(folder: Path) -> list[tuple[Path, int | None]]:
    if (folder / LABELS).is_file():
        return _from_csv(folder)
    found = sorted(p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file())
    parts = [p.relative_to(folder).parts for p in found]
    if any(len(p) < 2 for p in parts):
        return [(path, None) for path in found]
    classes = {name: index for index, name in enumerate(sorted({p[0] for p in parts}))}
    return [(path, classes[p[0]]) for path, p in zip(found, parts, strict=True)]


def _from_csv(folder: Path) -> list[tuple[Path, int | None]]:
    table = folder / LABELS
    with table.open(newline="", encoding="utf-8-sig") as file:
        rows = [(number, row) for number, row in enumerate(csv.reader(file), 1) if row]
    if rows and len(rows[0][1]) == 2 and not _is_integer(rows[0][1][1]):
        rows = rows[1:]  # a header
    return [_csv_entry(folder, table, number, row) for number, row in rows]


def _csv_entry(folder: Path, table: Path, number: int, row: list[str]) -> tuple[Path, int]:
    if len(row) != 2 or not _is_integer(row[1]):
        raise DataError(
            f"{table}:{number}: {','.join(row)!r} is not 'path,class index'",
            hint="write one picture a line, such as cat/001.jpg,3",
        )
    path = (folder / row[0].strip()).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise DataError(
            f"{table}:{number}: {row[0]!r} leads out of the folder",
            hint="put the picture into the folder, and write its path from there",
        )
    if not path.is_file():
        raise DataError(
            f"{table}:{number}: no such file: {row[0]!r}",
            hint="write the picture's path from the folder, or take the line out",
        )
    return folder / row[0].strip(), int(row[1])


def _is_integer(text: str) -> bool:
    return text.strip().lstrip("-").isdigit()
