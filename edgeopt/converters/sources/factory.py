"""PyTorch modules: live ones, and those that a factory the user names makes."""

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
from edgeopt.core.files import sha256
from edgeopt.core.manifest import SourceRecord
from edgeopt.core.quiet import quiet
from edgeopt.core.tensors import TensorSpec
from edgeopt.core.usercode import call_named, load_named


def open_factory(model: str, options: SourceOptions) -> ExportedSource:
    """Call ``module:factory`` or ``file.py:factory``, load its weights, and capture it.

    Raises:
        EdgeOptError: If the factory raises.
        ModelError: If it doesn't give a module, or the weights don't fit.
    """
    factory = load_named(str(model), allowed=options.code_allowed)
    module = factory if isinstance(factory, torch.nn.Module) else call_named(factory, str(model))
    _check_module(module, str(model))
    if options.weights is not None:
        _load_weights(module, options.weights)
    where, _, name = str(model).rpartition(":")
    code = Path(where)
    record = SourceRecord(
        kind="factory",
        location=str(model),
        sha256=sha256(code) if code.is_file() else None,
        weights=str(options.weights) if options.weights else None,
        weights_sha256=sha256(options.weights) if options.weights else None,
    )
    return ExportedSource(_capture(module, str(model), options.inputs), record, name)


def open_module(model: Any, options: SourceOptions) -> ExportedSource:
    """Capture a live module."""
    name = type(model).__name__
    _check_module(model, name)
    record = SourceRecord(kind="module", location=name)
    return ExportedSource(_capture(model, name, options.inputs), record, name.lower())


def _check_module(module: Any, name: str) -> None:
    if not isinstance(module, torch.nn.Module):
        raise ModelError(
            f"{name} gave {type(module).__name__}, not a torch.nn.Module",
            hint="return the model from the factory",
        )


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
