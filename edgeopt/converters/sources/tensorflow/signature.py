"""How a Keras model is called: its inputs in order, and what its outputs are called."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from edgeopt.converters.inputs import InputOptions
from edgeopt.converters.sources.tensorflow.framework import keras, tf
from edgeopt.core.errors import ModelError, UsageError
from edgeopt.core.tensors import Dim, TensorSpec

_NOT_DATA = ("self", "training", "mask")


@dataclass(frozen=True)
class Call:
    """A way of calling a model.

    Args:
        specs: Its inputs, in order.
        arguments: Makes the call's arguments of one tensor for each input.
        outputs: Names of a functional model's outputs; empty where nothing tells them.
    """

    specs: tuple[TensorSpec, ...]
    arguments: Callable[[Sequence[Any]], tuple[tuple[Any, ...], dict[str, Any]]]
    outputs: tuple[str, ...] = ()

    def name_outputs(self, structure: Any, count: int) -> tuple[str, ...]:
        """Name each output: as the model does, by the keys of a dict, or by number."""
        if isinstance(structure, dict) and len(structure) == count:
            names = [str(key) for key in sorted(structure)]
        elif len(self.outputs) == count:
            names = list(self.outputs)
        else:
            names = ["output"] if count == 1 else [f"output_{i}" for i in range(count)]
        return distinct(names, [spec.name for spec in self.specs])


def call_of(model: Any, given: InputOptions, name: str) -> Call:
    """Find out how a model is called.

    Args:
        model: A Keras model or layer.
        given: The ``--input`` options.
        name: The model's name, for messages.

    Raises:
        UsageError: If ``--input`` doesn't fit the model, or is missing.
        ModelError: If it takes something else than numbers.
    """
    structure = _declared(model)
    if structure is None:
        return _subclassed(model, given, name)
    tensors = tf.nest.flatten(structure)
    names = _names(structure, tensors)
    specs = tuple(spec_of(t, n, name) for t, n in zip(tensors, names, strict=True))

    def arguments(values: Sequence[Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        return (tf.nest.pack_sequence_as(structure, list(values)),), {}

    outputs = [_history(t) for t in model.outputs]
    return Call(fixed_inputs(specs, given, name), arguments, tuple(outputs))


def distinct(names: Iterable[str], taken: Iterable[str] = ()) -> tuple[str, ...]:
    """The names, with a number after those that are there already."""
    found, used = [], set(taken)
    for name in names:
        free = name
        number = 1
        while free in used:
            free, number = f"{name}_{number}", number + 1
        used.add(free)
        found.append(free)
    return tuple(found)


def _declared(model: Any) -> Any:
    """The structure of symbolic inputs that a functional or sequential model has."""
    try:
        if not model.inputs:
            return None
        return model.inputs[0] if type(model).__name__ == "Sequential" else model.input
    except (AttributeError, ValueError, RuntimeError):
        return None  # subclassed, or not built yet


def _names(structure: Any, tensors: Sequence[Any]) -> tuple[str, ...]:
    if isinstance(structure, dict) and len(structure) == len(tensors):
        return tuple(str(key) for key in sorted(structure))
    return distinct(_history(tensor) for tensor in tensors)


def _history(tensor: Any) -> str:
    history = getattr(tensor, "_keras_history", None)
    layer = getattr(history, "operation", None) or getattr(history, "layer", None)
    return str(getattr(layer, "name", None) or tensor.name)


def spec_of(tensor: Any, name: str, model: str) -> TensorSpec:
    """The spec of a symbolic tensor.

    Raises:
        ModelError: If it doesn't hold numbers, or has no known number of dimensions.
    """
    dtype = tf.as_dtype(tensor.dtype)
    if dtype == tf.string or tensor.shape is None or tf.TensorShape(tensor.shape).rank is None:
        what = "strings" if dtype == tf.string else "tensors of any number of dimensions"
        raise ModelError(
            f"{model}: its input {name!r} takes {what}, which no edge runtime does",
            hint="convert the part of the model behind it, which takes numbers",
        )
    return TensorSpec(name=name, dtype=dtype.name, shape=_dims(tensor.shape, name))


def _dims(shape: Iterable[int | None], name: str) -> tuple[Dim, ...]:
    """The dimensions; those that aren't known get names, the first of all that of a batch."""
    return tuple(
        int(size) if size is not None else "batch" if axis == 0 else f"{name}_{axis}"
        for axis, size in enumerate(shape)
    )


def fixed_inputs(
    specs: tuple[TensorSpec, ...], given: InputOptions, name: str
) -> tuple[TensorSpec, ...]:
    """The model's inputs, with the sizes that ``--input`` gives them.

    Raises:
        UsageError: If it names another input, or doesn't fit.
    """
    known = [spec.name for spec in specs]
    for unknown in (n for n in given.specs if n not in known):
        raise UsageError(
            f"--input {unknown}: {name} has no such input", hint=f"it has: {', '.join(known)}"
        )
    for spec in specs:
        wish = given.specs.get(spec.name)
        if wish is not None and (wish.dtype != spec.dtype or not _narrows(wish, spec)):
            raise UsageError(
                f"--input {wish}: {name} has {spec}",
                hint="only its dynamic dimensions can be fixed",
            )
    return tuple(given.specs.get(spec.name, spec) for spec in specs)


def _narrows(wish: TensorSpec, spec: TensorSpec) -> bool:
    return len(wish.shape) == len(spec.shape) and all(
        isinstance(have, str) or want == have
        for want, have in zip(wish.shape, spec.shape, strict=True)
    )


def _subclassed(model: Any, given: InputOptions, name: str) -> Call:
    signature = inspect.signature(model.call)
    data = [p for p in signature.parameters.values() if p.name not in _NOT_DATA]
    names = [p.name for p in data if p.kind <= p.KEYWORD_ONLY]
    for unknown in (n for n in given.specs if n not in names):
        raise UsageError(
            f"--input {unknown}: {name}'s call has no such parameter",
            hint=f"it takes: {', '.join(names)}",
        )
    specs = dict(_built(model, names)) | given.specs
    needed = [p.name for p in data if p.default is p.empty and p.kind <= p.KEYWORD_ONLY]
    for missing in (n for n in needed if n not in specs):
        raise UsageError(
            f"{name}: the shape of its input {missing!r} isn't known",
            hint=f"add --input '{missing}:float32[1,224,224,3]', or [batch,224,224,3] if any "
            "batch should do",
        )
    order = [n for n in names if n in specs]

    def arguments(values: Sequence[Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        by_name = dict(zip(order, values, strict=True))
        first = names[0]  # Keras wants the first by place
        rest = {key: value for key, value in by_name.items() if key != first}
        return (by_name[first],), rest

    return Call(tuple(specs[n] for n in order), arguments)


def _built(model: Any, names: Sequence[str]) -> Iterable[tuple[str, TensorSpec]]:
    """The inputs that a subclassed model was built with, as far as each is one tensor."""
    shapes = getattr(model, "_build_shapes_dict", None) or {}
    for key, shape in shapes.items():
        name = key.removesuffix("_shape")
        name = names[0] if name == "input" and names else name
        plain = isinstance(shape, (tuple, list)) and all(d is None or type(d) is int for d in shape)
        if name in names and plain:
            dtype = tf.as_dtype(getattr(model, "input_dtype", None) or keras.config.floatx()).name
            yield name, TensorSpec(name=name, dtype=dtype, shape=_dims([None, *shape[1:]], name))
