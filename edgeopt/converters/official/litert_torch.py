"""Google's litert-torch, and ai-edge-quantizer with its own calibration: ``--via litert-torch``."""

from __future__ import annotations

from inspect import Parameter, Signature

import litert_torch
import numpy as np
import torch

from edgeopt.converters.official.order import in_order
from edgeopt.converters.official.quantizer import NAME as QUANTIZER
from edgeopt.converters.official.quantizer import new_quantizer, quantized
from edgeopt.converters.official.readback import encodings, layers
from edgeopt.converters.sources.exported import ExportedSource, cause
from edgeopt.converters.writer import WriteRequest, Written
from edgeopt.core.ends import image, stored
from edgeopt.core.errors import UnsupportedError
from edgeopt.core.files import write_bytes
from edgeopt.core.layout import CHANNELS_FIRST, Layout
from edgeopt.core.manifest import Official
from edgeopt.core.precision import Precision
from edgeopt.core.quiet import quiet, quiet_system

CONVERTER = "litert-torch"
_SIGNATURE = "serving_default"


def write_fp32(request: WriteRequest) -> Written:
    """Everything in float32."""
    _convert(request)
    return Written(warnings=_fixed(request), official=Official(CONVERTER))


def write_fp16(request: WriteRequest) -> Written:
    """Weights in float16."""
    return _weights(request, Precision.FP16)


def write_int8_dynamic(request: WriteRequest) -> Written:
    """Weights of 8 bits, activations rounded by what they are at run time."""
    return _weights(request, Precision.INT8_DYNAMIC)


def write_int8_weight(request: WriteRequest) -> Written:
    """Weights of 8 bits, float arithmetic."""
    return _weights(request, Precision.INT8_WEIGHT)


def write_int8(request: WriteRequest) -> Written:
    """Static int8."""
    return _static(request, Precision.INT8)


def write_int16x8(request: WriteRequest) -> Written:
    """Activations of 16 bits, weights of 8."""
    return _static(request, Precision.INT16X8)


def _weights(request: WriteRequest, precision: Precision) -> Written:
    _convert(request)
    made = new_quantizer(request.path, precision)
    write_bytes(request.path, quantized(made, None, request.name))
    official = Official(CONVERTER)
    return Written(encodings(request.path), warnings=_fixed(request), official=official)


def _static(request: WriteRequest, precision: Precision) -> Written:
    _convert(request)
    made = new_quantizer(request.path, precision, request.io)
    samples = [
        {name: stored(array, request.layout) for name, array in sample.inputs.items()}
        for sample in request.calibration()
    ]
    with quiet(QUANTIZER):
        statistics = made.calibrate({_SIGNATURE: samples}, num_threads=1)
    write_bytes(request.path, quantized(made, statistics, request.name))
    integer, floating = layers(request.path)
    official = Official(CONVERTER, ranges=QUANTIZER)
    return Written(encodings(request.path), integer, floating, _fixed(request), official=official)


def _convert(request: WriteRequest) -> None:
    """Write the float file.

    Raises:
        UnsupportedError: If litert-torch can't.
    """
    source, inputs = request.source, request.graph.inputs
    assert isinstance(source, ExportedSource)
    examples = {
        spec.name: torch.from_numpy(stored(np.zeros(spec.concrete(1), spec.dtype), request.layout))
        for spec in inputs
    }
    module = _ByName(source, list(examples), request.layout)
    with quiet(CONVERTER), quiet_system(CONVERTER):
        try:
            made = litert_torch.convert(module, sample_kwargs=examples)
            made.export(str(request.path))
        except Exception as error:
            # It raises whatever its lowerings and the compiler behind them do.
            raise UnsupportedError(
                f"{request.name}: litert-torch can't convert it: {cause(error)}",
                hint="-v shows all that it says; leave --via out for EdgeOpt's own compiler",
            ) from error
    outputs = [f"output_{n}" for n in range(len(request.graph.outputs))]
    write_bytes(request.path, in_order(request.path.read_bytes(), list(examples), outputs))


def _fixed(request: WriteRequest) -> tuple[str, ...]:
    # Its lowering of open dimensions, by way of JAX, fails on simple nets (litert-torch 0.10).
    if all(isinstance(d, int) for spec in request.graph.inputs for d in spec.shape):
        return ()
    return ("by way of litert-torch, open dimensions are fixed: the batch is 1",)


class _ByName(torch.nn.Module):  # type: ignore[misc]
    """A program whose tensors have the float graph's names, and a layout."""

    def __init__(self, source: ExportedSource, names: list[str], layout: Layout) -> None:
        super().__init__()
        self.training = False  # an exported program is captured so, and can't be told to
        self.module = source.program.module()

        def forward(**tensors: torch.Tensor) -> tuple[torch.Tensor, ...]:
            given = [_given(tensors[name], layout) for name in names]
            return tuple(source.call(self.module, given))

        # The names of parameters are those of the file's inputs.
        parameters = [Parameter(name, Parameter.POSITIONAL_OR_KEYWORD) for name in names]
        forward.__signature__ = Signature(parameters)  # type: ignore[attr-defined]
        self.forward = forward


def _given(tensor: torch.Tensor, layout: Layout) -> torch.Tensor:
    turned = layout is Layout.NHWC and image(tensor.ndim)
    return tensor.permute(CHANNELS_FIRST) if turned else tensor
