"""What a Keras file may name: Keras's own layers and what the user registered, never code.

Keras imports whatever module a file's configuration names, and runs the bytecode of a Lambda. Its
safe mode has had holes, so the configuration is judged here before Keras sees it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from edgeopt.converters.sources.tensorflow.framework import keras
from edgeopt.core.errors import ModelError, UnsafeFileError

_CODE = ("Lambda", "__lambda__")
_CALLS = ("TFOpLambda", "SlicingOpLambda", "ClassMethod", "InstanceMethod", "InstanceProperty")
"""Layers of tf.keras 2 that call whatever of TensorFlow they name."""
_OURS = ("keras", "tf_keras", "builtins")
_NEVER = (".utils", ".src.utils", ".saving", ".src.saving", ".src.legacy.saving")


def check_config(config: Any, path: object) -> None:
    """Judge a model's configuration.

    Args:
        config: As JSON gives it.
        path: The file, for messages.

    Raises:
        UnsafeFileError: If it holds code, or names a module that isn't Keras's.
        ModelError: If it names a class that isn't registered.
    """
    for entry in _entries(config):
        kind, name = str(entry["class_name"]), _name(entry)
        if kind in _CODE:
            raise _carries_code(name, path)
        if kind in _CALLS:
            raise _calls(name, path)
        if _registered(entry) or kind.startswith("__"):
            continue
        module = entry.get("module")
        if entry.get("registered_name") and ">" in str(entry["registered_name"]):
            raise _unknown(kind, name, path)
        if module is not None and not _trusted(str(module)):
            raise _unknown(kind, name, path)


def _carries_code(name: str, path: object) -> UnsafeFileError:
    return UnsafeFileError(
        f"{path}: {name!r} is a Lambda, whose code is in the file and is never run",
        hint="write it as a layer of your own and name the code that makes the model: "
        f"file.py:factory --weights {path}",
    )


def _calls(name: str, path: object) -> UnsafeFileError:
    return UnsafeFileError(
        f"{path}: {name!r} calls a function of TensorFlow's by its name, which is never done",
        hint="save it as a SavedModel where it was made: tf.saved_model.save(model, folder)",
    )


def _unknown(kind: str, name: str, path: object) -> ModelError:
    return ModelError(
        f"{path}: {name!r} is a {kind}, which is no layer of Keras's and isn't registered",
        hint="name the code that defines it, with a function that makes the model: "
        f"file.py:factory --weights {path}; in Python: register it with "
        "keras.saving.register_keras_serializable first",
    )


def _trusted(module: str) -> bool:
    package, _, rest = module.partition(".")
    inside = f".{rest}"
    return package in _OURS and not any(
        inside == bad or inside.startswith(f"{bad}.") for bad in _NEVER
    )


def _registered(entry: dict[str, Any]) -> bool:
    names = (entry.get("registered_name"), entry["class_name"])
    return any(n and keras.saving.get_registered_object(str(n)) is not None for n in names)


def _name(entry: dict[str, Any]) -> str:
    config = entry.get("config")
    named = config.get("name") if isinstance(config, dict) else config
    return str(entry.get("name") or named or entry["class_name"])


def _entries(config: Any) -> Iterator[dict[str, Any]]:
    """Every part of a configuration that names a class or a function."""
    if isinstance(config, dict):
        if isinstance(config.get("class_name"), str):
            yield config
        for value in config.values():
            yield from _entries(value)
    elif isinstance(config, list):
        for value in config:
            yield from _entries(value)
