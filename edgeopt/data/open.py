"""Finding out which form the user's data has."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from edgeopt.core.errors import DataError
from edgeopt.core.preprocessing import Preprocessing
from edgeopt.core.tensors import TensorSpec
from edgeopt.core.usercode import load_named, names_code
from edgeopt.data.dataset import Dataset, Stored
from edgeopt.data.function import FunctionDataset
from edgeopt.data.images import SUFFIXES, ImageFolder
from edgeopt.data.npz import NpzDataset, stored_specs

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
    return _some(_open(data, specs, preprocessing, code_allowed), data)


def open_stored(
    data: str | Path | Callable[[], Any],
    specs: tuple[TensorSpec, ...] | None = None,
    preprocessing: Preprocessing | None = None,
    *,
    code_allowed: bool = True,
) -> Stored:
    """Open data to look at it, whether it fits a model or not.

    Args:
        data: As :func:`open_dataset` takes it.
        specs: What it is to fit; None where that is only what the data itself holds: pictures are
            then RGB, or grey by the contract, of any size.
        preprocessing: The contract.
        code_allowed: False under ``--no-code``.

    Raises:
        DataError: If it can't be read, lacks an input, or is empty.
    """
    return _some(_open(data, specs, preprocessing, code_allowed), data)


def check_exists(data: Any) -> None:
    """Find out early that a file or folder of data isn't there: before the model is exported.

    Raises:
        DataError: If ``data`` is a path and nothing is there.
    """
    if isinstance(data, (str, Path)) and not names_code(str(data)) and not Path(data).exists():
        raise DataError(f"{data}: no such file or folder", hint=f"data is {_FORMS}")


def _some(dataset: Stored, data: object) -> Stored:
    if len(dataset) == 0:
        raise DataError(f"{data}: no samples in it", hint="a few hundred are a good start")
    return dataset


def _open(
    data: str | Path | Callable[[], Any],
    specs: tuple[TensorSpec, ...] | None,
    preprocessing: Preprocessing | None,
    code_allowed: bool,
) -> Stored:
    if callable(data):
        name = getattr(data, "__qualname__", type(data).__name__)
        return _function(data, name, specs, preprocessing)
    path = Path(data)
    if path.is_dir():
        if specs is None:
            specs = (_picture(preprocessing),)
        return ImageFolder(path, specs, preprocessing)
    if path.suffix.lower() == ".npz":
        if specs is None:
            specs = _made(stored_specs(path), preprocessing)
        return NpzDataset(path, specs, preprocessing)
    if names_code(str(data)):
        function = load_named(str(data), allowed=code_allowed)
        return _function(function, str(data), specs, preprocessing)
    check_exists(data)
    raise DataError(
        f"{data}: not a form of data that is known", hint=_hint(path, specs) or f"data is {_FORMS}"
    )


def _hint(path: Path, specs: tuple[TensorSpec, ...] | None) -> str:
    if path.suffix.lower() == ".npy":
        name = specs[0].name if specs else "image"
        return f"an array has no name: np.savez('{path.stem}.npz', {name}=np.load('{path.name}'))"
    if path.suffix.lower() in SUFFIXES:
        return f"name the folder that holds the pictures: {path.parent}"
    return ""


def _function(
    function: Callable[[], Any],
    name: str,
    specs: tuple[TensorSpec, ...] | None,
    preprocessing: Preprocessing | None,
) -> FunctionDataset:
    if specs is None:
        specs = _made(FunctionDataset(function, name, ()).stored_specs(), preprocessing)
    return FunctionDataset(function, name, specs, preprocessing)


def _made(specs: tuple[TensorSpec, ...], contract: Preprocessing | None) -> tuple[TensorSpec, ...]:
    """What a contract makes of arrays: real numbers of those that are images."""
    return tuple(
        TensorSpec(name=s.name, dtype="float32", shape=s.shape)
        if contract is not None and len(s.shape) == 4
        else s
        for s in specs
    )


def _picture(contract: Preprocessing | None) -> TensorSpec:
    channels = 1 if contract is not None and contract.color == "gray" else 3
    return TensorSpec(name="image", dtype="float32", shape=("N", channels, "height", "width"))
