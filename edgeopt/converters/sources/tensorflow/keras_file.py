"""``.keras`` and ``.h5`` files, loaded so that nothing inside one can run."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

from edgeopt.converters.sources.checksums import check_members
from edgeopt.converters.sources.source import SourceOptions
from edgeopt.converters.sources.tensorflow.framework import check_backend, keras, silenced
from edgeopt.converters.sources.tensorflow.keras_model import source_of
from edgeopt.converters.sources.tensorflow.older import load
from edgeopt.converters.sources.tensorflow.program import TensorFlowSource, first_line
from edgeopt.converters.sources.tensorflow.safety import check_config
from edgeopt.converters.sources.tensorflow.signature import call_of
from edgeopt.core.errors import ModelError
from edgeopt.core.files import sha256
from edgeopt.core.manifest import SourceRecord

_AGAIN = "save it again; the file may be incomplete"


def open_keras(model: str | Path, options: SourceOptions) -> TensorFlowSource:
    """Open a file that ``model.save`` wrote, of Keras 3 or of tf.keras 2.

    Raises:
        UnsafeFileError: If it carries code.
        ModelError: If it is damaged, holds no model, or one that this Keras can't read.
        UsageError: If ``--input`` doesn't fit.
    """
    path = Path(model)
    check_backend(str(path))
    zipped = path.suffix.lower() == ".keras"
    config, version = _read_zip(path) if zipped else _read_h5(path)
    check_config(config, path)
    record = SourceRecord(kind="keras", location=str(path), sha256=sha256(path))
    loaded = _load(path, version)
    return source_of(loaded, call_of(loaded, options.inputs, str(path)), record, path.stem)


def _read_zip(path: Path) -> tuple[Any, str]:
    """The configuration, and the version of Keras that wrote it."""
    try:
        with zipfile.ZipFile(path) as archive:
            check_members(path)
            config = json.loads(archive.read("config.json"))
            metadata = json.loads(archive.read("metadata.json"))
        return config, str(metadata.get("keras_version", ""))
    except (zipfile.BadZipFile, KeyError, OSError, ValueError, AttributeError) as error:
        raise ModelError(
            f"{path}: not a readable .keras file ({first_line(error)})", hint=_AGAIN
        ) from error


def _read_h5(path: Path) -> tuple[Any, str]:
    import h5py

    try:
        with h5py.File(path, "r") as file:
            config, version = file.attrs.get("model_config"), file.attrs.get("keras_version", "")
        text = config.decode() if isinstance(config, bytes) else config
        parsed = None if text is None else json.loads(text)
    except (OSError, RuntimeError, ValueError, KeyError) as error:
        raise ModelError(
            f"{path}: not a readable HDF5 file ({first_line(error)})", hint=_AGAIN
        ) from error
    if parsed is None:
        raise ModelError(
            f"{path}: holds weights without their model",
            hint=f"name the model's code too: file.py:factory --weights {path}",
        )
    return parsed, version.decode() if isinstance(version, bytes) else str(version)


def _load(path: Path, version: str) -> Any:
    with silenced():
        try:
            return load(path, version)
        except Exception as error:
            # Damage, and what another version wrote, surface as whatever the first reader raises.
            if _newer(version):
                raise ModelError(
                    f"{path}: was saved by Keras {version}, newer than {keras.__version__} here",
                    hint="pip install --upgrade keras",
                ) from error
            raise ModelError(
                f"{path}: Keras {keras.__version__} can't load it: {first_line(error)}",
                hint=_other_ways(version),
            ) from error


def _other_ways(version: str) -> str:
    if version.startswith("2"):
        return (
            "pip install tf_keras, which reads what tf.keras 2 saved; or save it as a SavedModel "
            "where it was made"
        )
    return _AGAIN


def _newer(version: str) -> bool:
    return _numbers(version) > _numbers(keras.__version__)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdecimal())
