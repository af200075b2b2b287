"""A Keras factory's weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from edgeopt.converters.sources.checksums import check_members
from edgeopt.converters.sources.tensorflow.framework import silenced, tf
from edgeopt.converters.sources.tensorflow.signature import Call
from edgeopt.core.errors import ModelError, UsageError

_SUFFIXES = (".h5", ".hdf5", ".keras")


def load_weights(model: Any, call: Call, path: Path) -> None:
    """Load ``.weights.h5``, ``.h5`` or ``.keras`` into a model; nothing in the file can run.

    Raises:
        UsageError: If it is another kind of file.
        ModelError: If it can't be read, or the weights don't fit.
    """
    if path.suffix.lower() not in _SUFFIXES:
        raise UsageError(
            f"{path}: not a file of Keras weights",
            hint="save them with model.save_weights('net.weights.h5')",
        )
    check_members(path)
    with silenced():
        if not getattr(model, "built", True):
            args, kwargs = call.arguments([tf.zeros(s.concrete(1), s.dtype) for s in call.specs])
            model(*args, **kwargs)
        try:
            model.load_weights(str(path))
        except Exception as error:
            # Keras and h5py raise as they please on weights of another model.
            lines = str(error).strip().splitlines() or [type(error).__name__]
            raise ModelError(
                f"{path}: its weights don't fit the factory's model: {lines[0][:200]}",
                hint="name the factory and the weights of the same model",
            ) from error
