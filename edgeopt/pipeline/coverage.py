"""``edgeopt inspect --for``: what of a model a format can express, before any work."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from edgeopt.converters.refusal import Refusal
from edgeopt.converters.tensorrt.quantized_file import quantized_file
from edgeopt.core.errors import UsageError
from edgeopt.core.precision import Format
from edgeopt.core.progress import Progress, silent
from edgeopt.core.record import Record
from edgeopt.core.scratch import scratch_folder
from edgeopt.pipeline.given import read_given
from edgeopt.pipeline.parsing import parse_names
from edgeopt.pipeline.preparation import Preparation


class Coverage(Record, frozen=True):
    """What of a model a format can express.

    Args:
        model: As it was named.
        format: The format.
        fits: Whether all of it.
        mapped: The float graph's nodes that it can, by ONNX operator.
        becomes: What they become, by the format's operator, before any are fused; empty for
            TensorRT, where that is known when an engine is built.
        refused: Those that it can't.
        unseen: Nodes that weren't looked at, by operator: the shape of what they take is unknown,
            coming from one that was refused.
    """

    model: str
    format: Format
    fits: bool
    mapped: dict[str, int]
    becomes: dict[str, int]
    refused: tuple[Refusal, ...]
    unseen: dict[str, int]


def coverage(
    model: Any,
    format: str = "tflite",
    *,
    input: Iterable[str] = (),
    signature: str | None = None,
    progress: Progress = silent,
) -> Coverage:
    """Find every operator of a model that a format can't express.

    Args:
        model: What :func:`edgeopt.convert` takes.
        format: ``tflite`` or ``tensorrt``; ONNX expresses everything that can be converted. For
            TensorRT, ``model`` may be an ONNX file that is quantized already.
        input: As :func:`edgeopt.convert` takes it.
        signature: Likewise.
        progress: Told what is going on.

    Raises:
        EdgeOptError: If the model can't be read.
        UsageError: If there is nothing to ask of the format.
    """
    (fmt,) = parse_names(Format, [format], "--for")
    if fmt is Format.ONNX:
        raise UsageError(
            f"every model that can be read can be {fmt.value}", hint="ask for tflite or tensorrt"
        )
    if fmt is Format.TENSORRT and (quantized := quantized_file(model)) is not None:
        return _tensorrt(quantized, str(model))
    with scratch_folder() as scratch:
        given = read_given(model, input=input, signature=signature)
        prepared = Preparation(given, scratch, progress)
        name, path = prepared.source.record.location, prepared.graph.path
        return _tensorrt(path, name) if fmt is Format.TENSORRT else _tflite(path, name)


def _tensorrt(path: Path, name: str) -> Coverage:
    from edgeopt.converters.tensorrt.support import support_report

    found = support_report(path, name)
    fits = not found.refused
    return Coverage(name, Format.TENSORRT, fits, found.mapped, {}, found.refused, {})


def _tflite(path: Path, name: str) -> Coverage:
    from edgeopt.converters.tflite.survey import survey_file

    found = survey_file(path, name)
    fits = not found.refused
    return Coverage(
        name, Format.TFLITE, fits, found.mapped, found.becomes, found.refused, found.unseen
    )
