"""What tf.keras 2 wrote and Keras 3 reads with a little help."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from edgeopt.converters.sources.tensorflow.framework import keras


class _DepthwiseConv2D(keras.layers.DepthwiseConv2D):  # type: ignore[misc]
    """tf.keras 2 saved its ``groups``, which can't be anything but 1, and Keras 3 refuses them."""

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """Make it without them."""
        return super().from_config({k: v for k, v in config.items() if k != "groups"})


_MENDED = {"DepthwiseConv2D": _DepthwiseConv2D}


def load(path: Path, version: str) -> Any:
    """Load a file whose configuration was judged, with the Keras that fits its version."""
    options = {"compile": False, "safe_mode": True}
    if not version.startswith("2"):
        return keras.models.load_model(path, **options)
    if find_spec("tf_keras") is not None:
        import tf_keras

        return tf_keras.models.load_model(str(path), **options)
    return keras.models.load_model(path, custom_objects=_MENDED, **options)
