"""TensorFlow's own TFLiteConverter, with its own calibration: ``--via tensorflow``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from edgeopt.converters.official.order import in_order
from edgeopt.converters.official.readback import encodings, layers
from edgeopt.converters.sources.tensorflow.framework import silenced, tf
from edgeopt.converters.sources.tensorflow.program import TensorFlowSource, first_line
from edgeopt.converters.writer import WriteRequest, Written
from edgeopt.core.errors import UnsupportedError
from edgeopt.core.files import write_bytes
from edgeopt.core.layout import Ends
from edgeopt.core.manifest import Official

CONVERTER = "TFLiteConverter"
Settings = Callable[[Any], None]
"""Sets up a ``TFLiteConverter``."""


def write_fp32(request: WriteRequest) -> Written:
    """Everything in float32."""
    write_with(request, lambda _: None)
    return Written(official=Official(CONVERTER))


def write_fp16(request: WriteRequest) -> Written:
    """Weights in float16."""
    write_with(request, halves)
    return Written(official=Official(CONVERTER))


def write_int8(request: WriteRequest) -> Written:
    """Static int8, its ranges the converter's own; what it can't quantize stays float."""

    def settings(converter: Any) -> None:
        _calibrated(converter, request)
        if request.io is Ends.INT8:
            converter.inference_input_type = converter.inference_output_type = tf.int8

    return _integers(request, settings)


def write_int16x8(request: WriteRequest) -> Written:
    """Activations of 16 bits, weights of 8, likewise."""
    wide = tf.lite.OpsSet.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8

    def settings(converter: Any) -> None:
        _calibrated(converter, request)
        converter.target_spec.supported_ops = [wide, tf.lite.OpsSet.TFLITE_BUILTINS]

    return _integers(request, settings)


def write_int8_dynamic(request: WriteRequest) -> Written:
    """Weights of 8 bits, activations rounded by what they are at run time."""

    def settings(converter: Any) -> None:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]

    write_with(request, settings)
    return Written(encodings(request.path), official=Official(CONVERTER))


def halves(converter: Any) -> None:
    """Weights in float16."""
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.target_spec.supported_types = [tf.float16]


def write_with(request: WriteRequest, settings: Settings) -> None:
    """Convert the model as TensorFlow has it, and write the file.

    Raises:
        UnsupportedError: If TFLiteConverter can't.
    """
    assert isinstance(request.source, TensorFlowSource)
    folder = request.scratch / "for_tflite"
    with silenced():
        if not folder.exists():
            _save(request.source, folder)
        try:
            converter = tf.lite.TFLiteConverter.from_saved_model(str(folder))
            settings(converter)
            content = converter.convert()
        except Exception as error:
            # It raises whatever the compiler behind it reports.
            raise UnsupportedError(
                f"{request.name}: TFLiteConverter can't convert it: {first_line(error)}",
                hint="-v shows all that it says; keep --to onnx for this model",
            ) from error
    ends = ([end.name for end in ends] for ends in (request.graph.inputs, request.graph.outputs))
    write_bytes(request.path, in_order(content, *ends))


def _integers(request: WriteRequest, settings: Settings) -> Written:
    write_with(request, settings)
    integer, floating = layers(request.path)
    official = Official(CONVERTER, ranges=CONVERTER)
    return Written(encodings(request.path), integer, floating, official=official)


def _calibrated(converter: Any, request: WriteRequest) -> None:
    def samples() -> Iterator[dict[str, np.ndarray]]:
        for sample in request.calibration():
            yield dict(sample.inputs)

    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = samples


def _save(source: TensorFlowSource, folder: Any) -> None:
    """The frozen graph as a SavedModel with one signature, its names the float graph's."""
    frozen, program = source.frozen(), source.program

    def whole() -> None:
        tf.graph_util.import_graph_def(frozen.graph, name="")

    wrapped = tf.compat.v1.wrap_function(whole, [])
    element = wrapped.graph.as_graph_element
    model = wrapped.prune(list(map(element, frozen.inputs)), list(map(element, frozen.outputs)))
    specs = {
        spec.name: tf.TensorSpec(
            [d if isinstance(d, int) else None for d in spec.shape], spec.dtype, name=spec.name
        )
        for spec in program.inputs
    }

    @tf.function(autograph=False)  # type: ignore[untyped-decorator]
    def serve(**inputs: Any) -> dict[str, Any]:
        answers = model(*(inputs[name] for name in specs))
        return dict(zip(program.outputs, answers, strict=True))

    tf.saved_model.save(tf.Module(), str(folder), signatures=serve.get_concrete_function(**specs))
