"""The official converters that can make TFLite artifacts instead of EdgeOpt's own compiler."""

from enum import StrEnum


class Via(StrEnum):
    """An official converter; the value is its name on the command line."""

    TENSORFLOW = "tensorflow"
    LITERT_TORCH = "litert-torch"

    @property
    def converter(self) -> str:
        """What its makers call it."""
        return {Via.TENSORFLOW: "TFLiteConverter", Via.LITERT_TORCH: "litert-torch"}[self]

    @property
    def takes(self) -> str:
        """The models that it takes."""
        return {Via.TENSORFLOW: "Keras and TensorFlow", Via.LITERT_TORCH: "PyTorch"}[self]
