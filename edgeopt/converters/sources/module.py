"""PyTorch modules: live ones, and those that a factory gave."""

from __future__ import annotations

import inspect
import pickle
from pathlib import Path
from typing import Any

import torch

from edgeopt.converters.inputs import InputOptions
from edgeopt.converters.sources.checksums import check_members
from edgeopt.converters.sources.exported import ExportedSource, cause
from edgeopt.converters.sources.source import SourceOptions
from edgeopt.core.errors import ModelError, UnsafeFileError, UsageError
from edgeopt.core.manifest import SourceRecord
from edgeopt.core.quiet import quiet
from edgeopt.core.tensors import TensorSpec


def open_module(
    model: Any, options: SourceOptions, record: SourceRecord | None = None
) -> ExportedSource:
    """Capture a live module.

    Args:
        model: A ``torch.nn.Module``.
        options: What the user says of it.
        record: Where it came from; None for a live one.

    Raises:
        ModelError: If it isn't a module, can't be captured, or its weights don't fit.
    """
    name = type(model).__name__ if record is None else record.location
    if not isinstance(model, torch.nn.Module):
        raise ModelError(
            f"{name} gave {type(model).__name__}, neither a torch.nn.Module nor a Keras model",
            hint="return the model from the factory",
        )
    if options.weights is not None:
        _load_weights(model, options.weights)
    stem = name.lower() if record is None else name.rpartition(":")[2]
    record = record or SourceRecord(kind="module", location=name)
    return ExportedSource(_capture(model, record.location, options.inputs), record, stem)


def _capture(
    module: torch.nn.Module, name: str, inputs: InputOptions
) -> torch.export.ExportedProgram:
    specs = _specs(module, name, inputs)
    examples = {spec.name: _example(spec) for spec in specs}
    shapes = {spec.name: _dynamic(spec) for spec in specs}
    with quiet("PyTorch"):
        try:
            return torch.export.export(module.eval().cpu(), (), examples, dynamic_shapes=shapes)
        except Exception as error:
            # The module's own code runs here and may raise anything.
            raise ModelError(
                f"{name}: PyTorch can't capture it with these inputs: {cause(error)}",
                hint="check --input against the model's forward; -v shows PyTorch's report",
            ) from error


def _specs(module: torch.nn.Module, name: str, inputs: InputOptions) -> list[TensorSpec]:
    parameters = inspect.signature(module.forward).parameters
    needed = [
        p.name for p in parameters.values() if p.default is p.empty and p.kind < p.VAR_POSITIONAL
    ]
    unknown = [n for n in inputs.specs if n not in parameters]
    missing = [n for n in needed if n not in inputs.specs]
    if unknown:
        raise UsageError(
            f"--input {unknown[0]}: {name}'s forward has no such parameter",
            hint=f"it takes: {', '.join(parameters)}",
        )
    if missing:
        raise UsageError(
            f"{name}: the shape of its input {missing[0]!r} isn't known",
            hint=f"add --input '{missing[0]}:float32[1,3,224,224]', or [batch,3,224,224] if any "
            "batch should do",
        )
    return [inputs.specs[n] for n in parameters if n in inputs.specs]


def _example(spec: TensorSpec) -> torch.Tensor:
    # Two for a dynamic dimension: export would take a one for a fixed size.
    shape = spec.concrete(2)
    dtype = getattr(torch, spec.dtype)
    return (
        torch.zeros(shape, dtype=dtype)
        if not dtype.is_floating_point
        else torch.ones(shape).to(dtype)
    )


def _dynamic(spec: TensorSpec) -> dict[int, Any]:
    return {i: torch.export.Dim(d) for i, d in enumerate(spec.shape) if isinstance(d, str)}


def _load_weights(module: torch.nn.Module, path: Path) -> None:
    state = _read_weights(path)
    try:
        module.load_state_dict(state)
    except (RuntimeError, TypeError, AttributeError) as error:
        detail = "; ".join(line.strip() for line in str(error).splitlines()[1:3])
        raise ModelError(
            f"{path}: its weights don't fit the factory's model: {detail}",
            hint="name the factory and the weights of the same model",
        ) from error


def _read_weights(path: Path) -> dict[str, torch.Tensor]:
    if not path.is_file():
        raise ModelError(f"{path}: no such file", hint="check --weights")
    check_members(path)
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            state: Any = load_file(path)
        else:
            state = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise UnsafeFileError(
            f"{path}: is damaged, or holds pickled objects, which would run code when loaded",
            hint="save the weights alone: torch.save(model.state_dict(), path), or as .safetensors",
        ) from error
    except Exception as error:
        # Readers of damaged files raise as they please: EOFError, RuntimeError, SafetensorError...
        raise ModelError(
            f"{path}: not a readable file of weights ({type(error).__name__})",
            hint="save it again; the file may be incomplete",
        ) from error
    # Training frameworks keep the weights under this key, beside the optimizer's state.
    weights: dict[str, torch.Tensor] = (
        state.get("state_dict", state) if isinstance(state, dict) else state
    )
    return weights
