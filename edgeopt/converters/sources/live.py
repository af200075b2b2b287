"""Telling live models apart without importing a framework."""

from __future__ import annotations

from typing import Any


def kind_of(model: Any) -> str:
    """The entry of the registry that opens a live model."""
    # A Keras model whose back end is PyTorch is a torch.nn.Module as well, and is opened as one.
    keras = _descends(model, "keras", "Layer") or _descends(model, "tf_keras", "Layer")
    return "keras-model" if keras and not _descends(model, "torch", "Module") else "module"


def ready(thing: Any) -> bool:
    """Whether what the user names is a model already, not a function or class that makes one."""
    return not isinstance(thing, type) and (
        _descends(thing, "torch", "Module") or kind_of(thing) == "keras-model"
    )


def _descends(model: Any, package: str, name: str) -> bool:
    return any(
        cls.__name__ == name and cls.__module__.partition(".")[0] == package
        for cls in type(model).__mro__
    )
