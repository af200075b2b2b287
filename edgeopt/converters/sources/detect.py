"""Telling what kind of model the user named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from edgeopt.converters.registry import SOURCES
from edgeopt.converters.sources.factory import open_factory
from edgeopt.converters.sources.live import kind_of
from edgeopt.converters.sources.source import Source, SourceOptions
from edgeopt.core.errors import ModelError, UsageError
from edgeopt.core.files import check_file
from edgeopt.core.usercode import names_code

_KINDS = {
    ".onnx": "onnx",
    ".pt2": "pt2",
    ".pt": "torchscript",
    ".pth": "torchscript",
    ".jit": "torchscript",
    ".ts": "torchscript",
    ".torchscript": "torchscript",
    ".keras": "keras",
    ".h5": "keras",
    ".hdf5": "keras",
}
_FACTORY = "factory"
_FORMS = (
    "a model is a .pt2, .onnx, .keras, .h5 or TorchScript file, a SavedModel's folder, or "
    "package.module:factory or file.py:factory"
)


def open_source(model: Any, options: SourceOptions) -> Source:
    """Open a model by whatever name the user has for it.

    Args:
        model: A path, ``module:factory``, ``file.py:factory``, or a live ``torch.nn.Module`` or
            Keras model.
        options: What the user says of it.

    Raises:
        ModelError: If there is no such file, or it is damaged.
        UsageError: If it isn't a kind of model that is known, or an option doesn't belong to it.
        MissingExtraError: If the packages that read it aren't installed.
    """
    kind = _kind(model)
    if options.weights is not None and kind != _FACTORY:
        raise UsageError(
            f"--weights doesn't go with {model}",
            hint="it gives a factory (file.py:factory) its weights",
        )
    if options.inputs.fixed and kind != "onnx":
        raise UsageError(
            "--input NAME=VALUE fixes an input of an ONNX model only",
            hint="convert to ONNX first, then fix the input there",
        )
    if options.signature is not None and kind != "saved-model":
        raise UsageError(
            f"--signature doesn't go with {model}", hint="it chooses one of a SavedModel's"
        )
    if kind == _FACTORY:
        return open_factory(str(model), options)
    source: Source = SOURCES[kind].load()(model, options)
    return source


def _kind(model: Any) -> str:
    if not isinstance(model, (str, Path)):
        return kind_of(model)
    if "://" in str(model):
        raise UsageError(f"{model}: models aren't fetched", hint="fetch it, and name the file")
    path = Path(model)
    if path.suffix.lower() in _KINDS:
        check_file(path)
        return _KINDS[path.suffix.lower()]
    if names_code(str(model)):
        return _FACTORY
    if not path.exists():
        raise ModelError(f"{model}: no such file", hint=_FORMS)
    if path.is_dir():
        return _folder(path)
    raise UsageError(f"{model}: not a kind of model that is known", hint=_hint(path))


def _folder(path: Path) -> str:
    if any((path / name).is_file() for name in ("saved_model.pb", "saved_model.pbtxt")):
        return "saved-model"
    raise ModelError(
        f"{path}: a folder that isn't a SavedModel: it has no saved_model.pb",
        hint="name the folder that model.export() or tf.saved_model.save() wrote",
    )


def _hint(path: Path) -> str:
    if path.suffix == ".py":
        return f"name the function in it that makes the model, as in {path}:net"
    if path.suffix == ".safetensors":
        return f"weights need their model: file.py:factory --weights {path}"
    if path.suffix in (".tflite", ".engine", ".ort"):
        return (
            f"a {path.suffix} file is what conversions end in: name the model that it was made "
            "from; `edgeopt inspect` and `edgeopt benchmark` take .tflite files of any maker"
        )
    if path.suffix in (".zip", ".gz", ".tar", ".whl"):
        return "unpack it, and name the model in it"
    return _FORMS
