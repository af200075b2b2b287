"""What can be read and what can be written: names, import paths, and the extra each needs."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from edgeopt.core.errors import MissingExtraError
from edgeopt.core.precision import Format, Precision
from edgeopt.core.via import Via


@dataclass(frozen=True)
class Entry:
    """A converter that isn't imported yet.

    Args:
        what: What it is, for messages.
        path: ``module:name``.
        extra: The extra it needs, or None for the core.
        packages: The packages of that extra, by import name.
    """

    what: str
    path: str
    extra: str | None = None
    packages: tuple[str, ...] = ()

    def check(self) -> None:
        """Find out, importing nothing, whether its packages are there.

        Raises:
            MissingExtraError: If one isn't.
        """
        for package in self.packages if self.extra is not None else ():
            if find_spec(package) is None:
                raise MissingExtraError(self.what, package, self.extra or "")

    def load(self) -> Any:
        """Import it.

        Raises:
            MissingExtraError: If one of its packages isn't installed.
        """
        module, _, name = self.path.partition(":")
        try:
            return getattr(import_module(module), name)
        except ImportError as error:
            missing = (error.name or "").partition(".")[0]
            if self.extra is None or missing not in self.packages:
                raise
            raise MissingExtraError(self.what, missing, self.extra) from error


_TORCH = ("torch", "onnxscript", "safetensors")
_TENSORFLOW = ("tensorflow", "tf2onnx")

SOURCES: dict[str, Entry] = {
    "onnx": Entry("an ONNX model", "edgeopt.converters.sources.onnx_file:open_onnx"),
    "pt2": Entry(
        "a PyTorch .pt2 model", "edgeopt.converters.sources.pt2:open_pt2", "torch", _TORCH
    ),
    "torchscript": Entry(
        "a TorchScript model",
        "edgeopt.converters.sources.torchscript:open_torchscript",
        "torch",
        _TORCH,
    ),
    "module": Entry(
        "a PyTorch model", "edgeopt.converters.sources.module:open_module", "torch", _TORCH
    ),
    "keras": Entry(
        "a Keras file",
        "edgeopt.converters.sources.tensorflow.keras_file:open_keras",
        "tensorflow",
        _TENSORFLOW,
    ),
    "saved-model": Entry(
        "a TensorFlow SavedModel",
        "edgeopt.converters.sources.tensorflow.saved_model:open_saved_model",
        "tensorflow",
        _TENSORFLOW,
    ),
    "keras-model": Entry(
        "a Keras model",
        "edgeopt.converters.sources.tensorflow.keras_model:open_keras_model",
        "tensorflow",
        _TENSORFLOW,
    ),
}
"""Kinds of model that can be converted; each opens a :class:`~.sources.source.Source`. What a
factory gives is opened as one of them."""

_TFLITE = ("ai_edge_litert", "flatbuffers")

WRITERS: dict[tuple[Format, Precision], Entry] = {
    (Format.ONNX, Precision.FP32): Entry("fp32 ONNX", "edgeopt.converters.onnx.floats:write_fp32"),
    (Format.ONNX, Precision.FP16): Entry("fp16 ONNX", "edgeopt.converters.onnx.floats:write_fp16"),
    (Format.ONNX, Precision.INT8): Entry("int8 ONNX", "edgeopt.converters.onnx.qdq:write_int8"),
    (Format.ONNX, Precision.AUTO): Entry("auto ONNX", "edgeopt.converters.onnx.qdq:write_int8"),
    (Format.ONNX, Precision.INT8_DYNAMIC): Entry(
        "int8-dynamic ONNX", "edgeopt.converters.onnx.int8_dynamic:write_int8_dynamic"
    ),
    (Format.ONNX, Precision.INT8_WEIGHT): Entry(
        "int8-weight ONNX", "edgeopt.converters.onnx.int8_weight:write_int8_weight"
    ),
    (Format.ONNX, Precision.INT16X8): Entry(
        "int16x8 ONNX", "edgeopt.converters.onnx.int16x8:write_int16x8"
    ),
    (Format.ONNX, Precision.INT4_WEIGHT): Entry(
        "int4-weight ONNX", "edgeopt.converters.onnx.int4_weight:write_int4_weight"
    ),
    **{
        (Format.TFLITE, precision): Entry(
            f"{precision} TFLite",
            f"edgeopt.converters.tflite.writers:write_{name}",
            "tflite",
            _TFLITE,
        )
        for precision, name in (
            (Precision.FP32, "fp32"),
            (Precision.FP16, "fp16"),
            (Precision.INT8, "int8"),
            (Precision.AUTO, "int8"),
            (Precision.INT8_DYNAMIC, "int8_dynamic"),
            (Precision.INT8_WEIGHT, "int8_weight"),
            (Precision.INT16X8, "int16x8"),
            (Precision.INT4_WEIGHT, "int4_weight"),
        )
    },
    **{
        (Format.TENSORRT, precision): Entry(
            f"{precision} TensorRT",
            f"edgeopt.converters.tensorrt.writers:write_{name}",
            "tensorrt",
            ("tensorrt_rtx",),
        )
        for precision, name in (
            (Precision.FP32, "fp32"),
            (Precision.FP16, "fp16"),
            (Precision.INT8, "int8"),
            (Precision.INT8_WEIGHT, "int8_weight"),
            (Precision.INT4_WEIGHT, "int4_weight"),
        )
    },
}
"""Combinations that exist; each is a :class:`~.writer.Writer`."""

_QUANTIZER = ("ai_edge_quantizer", *_TFLITE)
_LITERT_TORCH = ("litert_torch", *_QUANTIZER)

OFFICIAL: dict[tuple[Via, Precision], Entry] = {
    **{
        (Via.TENSORFLOW, precision): Entry(
            f"{precision} TFLite by way of TFLiteConverter",
            f"edgeopt.converters.official.tensorflow:write_{name}",
            "tensorflow",
            ("tensorflow",),
        )
        for precision, name in (
            (Precision.FP32, "fp32"),
            (Precision.FP16, "fp16"),
            (Precision.INT8, "int8"),
            (Precision.INT8_DYNAMIC, "int8_dynamic"),
            (Precision.INT16X8, "int16x8"),
        )
    },
    **{
        (Via.LITERT_TORCH, precision): Entry(
            f"{precision} TFLite by way of litert-torch",
            f"edgeopt.converters.official.litert_torch:write_{name}",
            "litert-torch",
            _LITERT_TORCH,
        )
        for precision, name in (
            (Precision.FP32, "fp32"),
            (Precision.FP16, "fp16"),
            (Precision.INT8, "int8"),
            (Precision.INT8_DYNAMIC, "int8_dynamic"),
            (Precision.INT8_WEIGHT, "int8_weight"),
            (Precision.INT16X8, "int16x8"),
        )
    },
}
"""TFLite by official converters, asked for with ``--via``."""

FALLBACK: dict[Precision, Entry] = {
    **{
        precision: Entry(
            f"{precision} TFLite by way of TFLiteConverter",
            f"edgeopt.converters.official.fallback:write_{precision}",
            "tensorflow",
            ("tensorflow",),
        )
        for precision in (Precision.FP32, Precision.FP16)
    },
    **{
        precision: Entry(
            f"{precision} TFLite by way of TFLiteConverter",
            f"edgeopt.converters.official.fallback:write_{name}",
            "quantizer",
            _QUANTIZER,
        )
        for precision, name in (
            (Precision.INT8, "int8"),
            (Precision.INT8_DYNAMIC, "int8_dynamic"),
            (Precision.INT8_WEIGHT, "int8_weight"),
            (Precision.INT16X8, "int16x8"),
        )
    },
}
"""TFLite of TensorFlow models that our own compiler can't express."""


LACKING: dict[tuple[Format, Precision], str] = {
    (Format.TENSORRT, Precision.INT8_DYNAMIC): (
        "it takes ranges from the file, not from what it sees at run time; int8 is the nearest"
    ),
    (Format.TENSORRT, Precision.INT16X8): "it has no 16-bit integer activations",
    (Format.TENSORRT, Precision.AUTO): "its candidates are timed on the GPU, which isn't done yet",
}
"""Why a combination doesn't exist, where there is more to say."""


def formats() -> list[Format]:
    """The formats that can be made."""
    return list(dict.fromkeys(fmt for fmt, _ in WRITERS))


def precisions(fmt: Format) -> list[Precision]:
    """The precisions that exist for a format."""
    return [p for f, p in WRITERS if f is fmt]
