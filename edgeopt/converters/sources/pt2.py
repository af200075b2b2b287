"""``.pt2`` files, loaded so that nothing inside one can run.

``torch.export.load`` falls back to a full unpickle for sample inputs, weights and constants, calls
``pickle.loads`` on opaque objects and opens compiled libraries. Members of the last two kinds are
refused by name; for the rest PyTorch's own switch forces every ``torch.load`` to weights only.
"""

from __future__ import annotations

import os
import pickle
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

from edgeopt.converters.sources.checksums import check_members
from edgeopt.converters.sources.exported import ExportedSource
from edgeopt.converters.sources.source import SourceOptions
from edgeopt.converters.sources.unread import unread
from edgeopt.core.errors import ModelError, UnsafeFileError, UsageError
from edgeopt.core.files import sha256
from edgeopt.core.manifest import SourceRecord
from edgeopt.core.quiet import quiet

_CODE_MEMBERS = (
    "/aotinductor/",
    "/constants/custom_obj_",
    "/constants/opaque_obj_",
    "/executorch/",
)
_FORCE = "TORCH_FORCE_WEIGHTS_ONLY_LOAD"
_NEVER = "TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD"


def open_pt2(model: str | Path, options: SourceOptions) -> ExportedSource:
    """Open a ``.pt2`` file written by ``torch.export.save``.

    Raises:
        UnsafeFileError: If a member would run code when loaded.
        ModelError: If it is damaged, or not an exported program.
        UsageError: If ``--input`` is given: the file fixes its inputs.
    """
    path = Path(model)
    # A range of sizes says nothing of the program: TensorRT wants to know it.
    if options.inputs.specs.keys() - options.inputs.ranges.keys():
        raise UsageError(
            f"--input: {path} fixes its inputs already",
            hint="export it again with torch.export.export(..., dynamic_shapes=...)",
        )
    _refuse_code(path)
    check_members(path)
    record = SourceRecord(kind="pt2", location=str(path), sha256=sha256(path))
    return ExportedSource(_load(path), record, path.stem)


def _refuse_code(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, OSError) as error:
        raise _damaged(path, error) from error
    for name in names:
        if any(part in f"/{name}" for part in _CODE_MEMBERS):
            raise UnsafeFileError(
                f"{path}: its member {name!r} is compiled code or a pickled object, which is never "
                "loaded",
                hint="save the plain program with torch.export.save",
            )


def _load(path: Path) -> torch.export.ExportedProgram:
    with quiet("PyTorch"), _weights_only():
        try:
            return torch.export.load(path)
        except pickle.UnpicklingError as error:
            raise UnsafeFileError(
                f"{path}: holds a pickle that would run code when loaded, which is refused",
                hint="get it from a source you trust, saved by torch.export.save",
            ) from error
        except Exception as error:
            # Damage anywhere inside surfaces as whatever the first reader of it raises.
            told = unread(path)
            if told is not None:
                raise told from None  # it says everything: PyTorch's log would only hide it
            raise _damaged(path, error) from error


@contextmanager
def _weights_only() -> Iterator[None]:
    saved = {name: os.environ.pop(name, None) for name in (_FORCE, _NEVER)}
    os.environ[_FORCE] = "1"
    try:
        yield
    finally:
        del os.environ[_FORCE]
        os.environ.update({name: value for name, value in saved.items() if value is not None})


def _damaged(path: Path, error: Exception) -> ModelError:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return ModelError(
        f"{path}: not a readable .pt2 program ({lines[0][:160]})",
        hint="save it again with torch.export.save; the file may be incomplete",
    )
