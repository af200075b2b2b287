"""TorchScript files, best effort: PyTorch has retired the format, and its exporters with it.

A ``.pt`` or ``.pth`` may also be a file of weights or a pickled module; both are refused here with
the way out, the second without ever being unpickled.
"""

from __future__ import annotations

import pickle
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from edgeopt.converters.sources.checksums import check_members
from edgeopt.converters.sources.exported import cause, running
from edgeopt.converters.sources.source import SourceOptions
from edgeopt.core.complaints import reason
from edgeopt.core.errors import ModelError, UnsafeFileError, UsageError
from edgeopt.core.files import sha256
from edgeopt.core.layout import Layout
from edgeopt.core.manifest import SourceRecord
from edgeopt.core.quiet import quiet
from edgeopt.core.tensors import Batch, TensorSpec

_WAYS_OUT = "use the model's own ONNX export, or name it as file.py:factory with --weights"


class TorchScriptSource:
    """A TorchScript program; the reference is PyTorch running it."""

    layout = Layout.NCHW
    official = None

    def __init__(self, path: Path, specs: tuple[TensorSpec, ...]) -> None:
        self.path, self.specs, self.name = path, specs, path.stem
        self.record = SourceRecord(kind="torchscript", location=str(path), sha256=sha256(path))
        self._program: Any = _load(path)

    def export(self, path: Path) -> None:
        """Trace it once more, then write it with PyTorch's ONNX exporter."""
        examples = tuple(_example(spec) for spec in self.specs)
        dynamic = {
            s.name: {i: d for i, d in enumerate(s.shape) if isinstance(d, str)} for s in self.specs
        }
        with quiet("PyTorch's ONNX exporter"), _log_printed():
            try:
                torch.onnx.export(
                    self._program,
                    examples,
                    path,
                    dynamo=False,
                    input_names=[s.name for s in self.specs],
                    dynamic_axes={n: d for n, d in dynamic.items() if d} or None,
                    opset_version=18,
                )
            except Exception as error:
                # The retired exporter raises whatever its C++ half does.
                raise ModelError(
                    f"{self.path}: PyTorch can't export this TorchScript: {reason(cause(error))}",
                    hint=_WAYS_OUT,
                ) from error

    def run(self, inputs: Batch) -> list[object]:
        """Run the program on one batch."""
        from torch.utils import _pytree as pytree

        with running(str(self.path)):
            outputs = self._program(*(torch.from_numpy(inputs[s.name]) for s in self.specs))
        return [
            v.detach().numpy()
            for v in pytree.tree_flatten(outputs)[0]
            if isinstance(v, torch.Tensor)
        ]


def open_torchscript(model: str | Path, options: SourceOptions) -> TorchScriptSource:
    """Open a TorchScript file.

    Raises:
        UnsafeFileError: If it is a pickle instead, or code isn't allowed.
        ModelError: If it is a file of weights, or damaged.
        UsageError: If ``--input`` doesn't give its inputs, which the file can't tell.
    """
    path = Path(model)
    if not _is_torchscript(path):
        raise _not_torchscript(path)
    if not options.code_allowed:
        raise UsageError(f"{path}: TorchScript is code", hint="drop --no-code if you trust it")
    if not options.inputs.specs:
        raise UsageError(
            f"{path}: a TorchScript file can't tell the shapes of its inputs",
            hint="add --input 'name:float32[1,3,224,224]' for each, in order",
        )
    check_members(path)
    return TorchScriptSource(path, tuple(options.inputs.specs.values()))


def _is_torchscript(path: Path) -> bool:
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return any("/code/" in name for name in archive.namelist())


def _not_torchscript(path: Path) -> ModelError:
    try:
        torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError:
        return UnsafeFileError(
            f"{path}: is damaged, or holds a pickled object, which would run code when loaded",
            hint=_WAYS_OUT,
        )
    except Exception as error:  # noqa: BLE001 - readers of damaged files raise as they please
        return ModelError(
            f"{path}: not a readable PyTorch file ({type(error).__name__})",
            hint="save it again; the file may be incomplete",
        )
    return ModelError(
        f"{path}: holds weights without their model",
        hint=f"name the model's code too: file.py:factory --weights {path}",
    )


def _load(path: Path) -> Any:
    with quiet("PyTorch"):
        try:
            return torch.jit.load(str(path), map_location="cpu").eval()
        except (RuntimeError, ValueError, OSError) as error:
            lines = str(error).strip().splitlines() or [""]
            raise ModelError(
                f"{path}: not a readable TorchScript file ({lines[0][:160]})", hint=_WAYS_OUT
            ) from error


@contextmanager
def _log_printed() -> Iterator[None]:
    """Have the exporter print its log: else it goes past Python to standard output, always."""
    log = torch._C._jit_onnx_log
    torch._C._jit_onnx_log = print
    try:
        yield
    finally:
        torch._C._jit_onnx_log = log


def _example(spec: TensorSpec) -> torch.Tensor:
    return torch.zeros(spec.concrete(2), dtype=getattr(torch, spec.dtype))
