"""The formats an artifact can have and the precisions it can be made in."""

from enum import StrEnum


class Format(StrEnum):
    """What an artifact is; the value is its name on the command line.

    Which of them can be made is the converters' registry's to say; profiles of devices hold the
    encodings of all.
    """

    ONNX = "onnx"
    TFLITE = "tflite"
    TENSORRT = "tensorrt"

    @property
    def suffix(self) -> str:
        """The file suffix, with its dot."""
        return {Format.ONNX: ".onnx", Format.TFLITE: ".tflite", Format.TENSORRT: ".engine"}[self]


class Precision(StrEnum):
    """How an artifact computes; the value is its name on the command line and in file names."""

    FP32 = "fp32"
    FP16 = "fp16"
    INT8 = "int8"
    INT8_DYNAMIC = "int8-dynamic"
    INT8_WEIGHT = "int8-weight"
    INT16X8 = "int16x8"
    INT4_WEIGHT = "int4-weight"
    AUTO = "auto"

    @property
    def static(self) -> bool:
        """Whether it is encoded as int8 is: all of it, or what a search left of it."""
        return self in (Precision.INT8, Precision.AUTO)

    @property
    def quantizes(self) -> bool:
        """Whether anything in it is stored as integers."""
        return self not in (Precision.FP32, Precision.FP16)

    @property
    def needs_calibration(self) -> bool:
        """Whether activation ranges have to be observed first."""
        return self in (Precision.INT8, Precision.INT16X8, Precision.AUTO)

    @property
    def gains_from_calibration(self) -> bool:
        """Whether calibration data makes it better without being needed: biases are corrected."""
        return self in (Precision.INT8_DYNAMIC, Precision.INT8_WEIGHT, Precision.INT4_WEIGHT)

    @property
    def adds_integers(self) -> bool:
        """Whether its products are meant to be added as integers: kernels may saturate there."""
        return self in (Precision.INT8, Precision.INT8_DYNAMIC, Precision.AUTO)

    @property
    def sqnr_floor(self) -> float:
        """The SQNR in dB below which an artifact is refused (design: 80, 40, 10)."""
        return {Precision.FP32: 80.0, Precision.FP16: 40.0}.get(self, 10.0)
