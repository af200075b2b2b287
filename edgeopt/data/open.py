"""Finding out which form the user's data has."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from edgeopt.core.errors import DataError
from edgeopt.core.preprocessing import Preprocessing
from edgeopt.core.tensors import TensorSpec
from edgeopt.core.usercode import load_named, names_code
from edgeopt.data.dataset import Dataset
from edgeopt.data.function import FunctionDataset
from edgeopt.data.images import ImageFolder
from edgeopt.data.npz import NpzDataset

_FORMS = "a .npz file, a folder of images, or module:function"


def open_dataset(
    data: str | Path | Callable[[], Any],
    specs: tuple[TensorSpec, ...],
    preprocessing: Preprocessing | None = None,
    *,
    code_allowed: bool = True,
) -> Dataset:
    """Open data for a model.

    Args:
        data: A ``.npz`` file, a folder of images, ``module:function`` or ``file.py:function``; in
            Python also the function itself.
        specs: The model's inputs; names, shapes and dtypes must match.
        preprocessing: The contract for pictures, or for arrays that hold raw pixels.
        code_allowed: False under ``--no-code``.

    Raises:
        DataError: If it can't be read, doesn't fit, or is empty.
    """
    dataset = _open(data, specs, preprocessing, code_allowed)
    if len(dataset) == 0:
        raise DataError(f"{data}: no samples in it", hint="a few hundred are a good start")
    return dataset


def check_exists(data: Any) -> None:
    """Find out early that a file or folder of data isn't there: before the model is exported.

    Raises:
        DataError: If ``data`` is a path and nothing is there.
    """
    if isinstance(data, (str, Path)) and not names_code(str(data)) and not Path(data).exists():
        raise DataError(f"{data}: no such file or folder", hint=f"data is {_FORMS}")


def _open(
    data: str | Path | Callable[[], Any],
    specs: tuple[TensorSpec, ...],
    preprocessing: Preprocessing | None,
    code_allowed: bool,
) -> Dataset:
    if callable(data):
        name = getattr(data, "__qualname__", type(data).__name__)
        return FunctionDataset(data, name, specs, preprocessing)
    path = Path(data)
    if path.is_dir():
        return ImageFolder(path, specs, preprocessing)
    if path.suffix.lower() == ".npz":
        return NpzDataset(path, specs, preprocessing)
    if names_code(str(data)):
        function = load_named(str(data), allowed=code_allowed)
        return FunctionDataset(function, str(data), specs, preprocessing)
    check_exists(data)
    raise DataError(f"{data}: not a form of data that is known", hint=f"data is {_FORMS}")
