"""TensorFlow and Keras, imported at one place, with what they print kept off the terminal."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from edgeopt.core.errors import UsageError
from edgeopt.core.quiet import quiet, quiet_system

# Keras takes its back end from here when it is imported; the user's own choice stays.
os.environ.setdefault("KERAS_BACKEND", "tensorflow")


@contextmanager
def silenced() -> Iterator[None]:
    """Keep what TensorFlow prints, logs, and writes past Python off the terminal."""
    with quiet("TensorFlow"), quiet_system("TensorFlow"):
        yield


with silenced():
    import tensorflow as tf  # first: that it is missing is what a user is told

with silenced():
    import keras

__all__ = ["check_backend", "keras", "silenced", "tf"]


def check_backend(model: str) -> None:
    """See to it that Keras computes with TensorFlow.

    Raises:
        UsageError: If it computes with another back end.
    """
    if keras.backend.backend() != "tensorflow":
        raise UsageError(
            f"{model}: Keras computes with {keras.backend.backend()} here, and is converted by "
            "way of TensorFlow",
            hint="set the environment variable KERAS_BACKEND=tensorflow",
        )
