"""Keras models in memory: live ones, and those that a file or a factory gave."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from edgeopt.converters.sources.source import SourceOptions
from edgeopt.converters.sources.tensorflow.framework import check_backend, keras, silenced, tf
from edgeopt.converters.sources.tensorflow.freezing import freeze_function
from edgeopt.converters.sources.tensorflow.frozen import Frozen
from edgeopt.converters.sources.tensorflow.program import TensorFlowSource, first_line
from edgeopt.converters.sources.tensorflow.signature import Call, call_of
from edgeopt.converters.sources.tensorflow.weights import load_weights
from edgeopt.core.errors import ModelError
from edgeopt.core.manifest import SourceRecord


class KerasProgram:
    """A Keras model traced as one TensorFlow function, in inference mode.

    Args:
        model: The model.
        call: How it is called.
        name: Its name, for messages.
    """

    def __init__(self, model: Any, call: Call, name: str) -> None:
        self.inputs = call.specs
        self._function = _trace(model, call, name)
        flat = tf.nest.flatten(self._function.structured_outputs)
        self.outputs = call.name_outputs(self._function.structured_outputs, len(flat))

    def freeze(self) -> Frozen:
        """Its graph, with constants for variables."""
        return freeze_function(self._function, len(self.inputs))

    def run(self, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Run the traced function."""
        given = [tf.constant(array) for array in arrays]
        return [value.numpy() for value in tf.nest.flatten(self._function(*given))]


def open_keras_model(
    model: Any, options: SourceOptions, record: SourceRecord | None = None
) -> TensorFlowSource:
    """Open a Keras model that is in memory.

    Args:
        model: A ``keras.Model`` or layer, of Keras 3 or ``tf_keras``.
        options: What the user says of it.
        record: Where it came from; None for a live one.

    Raises:
        UsageError: If its inputs aren't known, or ``--input`` doesn't fit.
        ModelError: If it can't be traced, or its weights don't fit.
    """
    name = record.location if record is not None else str(getattr(model, "name", "model"))
    stem = name.rpartition(":")[2] if record is not None else name
    if isinstance(model, keras.layers.Layer):
        check_backend(name)
    call = call_of(model, options.inputs, name)
    if options.weights is not None:
        load_weights(model, call, options.weights)
    return source_of(model, call, record or SourceRecord(kind="keras-model", location=name), stem)


def source_of(model: Any, call: Call, record: SourceRecord, stem: str) -> TensorFlowSource:
    """A model as a source."""
    with silenced():
        program = KerasProgram(model, call, record.location)
    return TensorFlowSource(program, record, stem)


def _trace(model: Any, call: Call, name: str) -> Any:
    signature = [
        tf.TensorSpec(
            [d if isinstance(d, int) else None for d in spec.shape],
            spec.dtype,
            name=f"input_{index}",
        )
        for index, spec in enumerate(call.specs)
    ]

    def infer(*tensors: Any) -> Any:
        args, kwargs = call.arguments(tensors)
        return model(*args, **kwargs, training=False)

    try:
        return tf.function(infer, input_signature=signature).get_concrete_function()
    except Exception as error:
        # The model's own code runs here and may raise anything.
        raise ModelError(
            f"{name}: TensorFlow can't trace it with these inputs: {first_line(error)}",
            hint="check --input against the model's call; -v shows TensorFlow's report",
        ) from error
