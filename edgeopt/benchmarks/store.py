"""Measurements as files of their own, beside the artifact."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from edgeopt.benchmarks.result import SCHEMA, Kind, Measurement
from edgeopt.core.errors import OutputError
from edgeopt.core.files import write_bytes
from edgeopt.core.record import from_json, to_json
from edgeopt.core.refusals import reporting


def measurement_path(artifact: Path, target: str) -> Path:
    """``<artifact>.<target>.benchmark.json``."""
    return artifact.with_name(f"{artifact.name}.{target}.benchmark.json")


def check_writable(artifact: Path, target: str, kind: Kind = Kind.MEASURED) -> None:
    """Make sure that a measurement can be written: where it can be, before anything is timed.

    Raises:
        OutputError: If a file of that name is there that isn't a measurement, or a device's that
            an emulation's would replace, or the folder can't be written.
    """
    path = measurement_path(artifact, target)
    there = _kind(path) if path.exists() else kind
    if there is None:
        raise OutputError(
            f"{path}: exists and is not a benchmark result", hint="move it away, or use --no-save"
        )
    if kind is Kind.EMULATED and there != kind:
        raise OutputError(
            f"{path}: was measured on a device, and this is emulated",
            hint="move it away, use --no-save, or name the emulated board without a profile",
        )
    try:
        with reporting(path.parent), tempfile.TemporaryFile(dir=path.parent):
            pass
    except OutputError as error:
        raise OutputError(error.message, hint="use --no-save, or copy the artifact") from error


def write_measurement(measurement: Measurement) -> Path:
    """Write a measurement beside its artifact, replacing an earlier one.

    Raises:
        OutputError: If it can't be written.
    """
    path = measurement_path(Path(measurement.artifact), measurement.target)
    write_bytes(path, to_json(measurement))
    return path


def read_measurement(path: Path) -> Measurement:
    """Read a measurement.

    Raises:
        EdgeOptError: If it isn't one.
    """
    return from_json(path.read_bytes(), Measurement, where=str(path))


def _kind(path: Path) -> str | None:
    """What a measurement's figures are; None if the file holds none."""
    # The schema's name alone, without its number: a result of another version is still ours.
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
    schema = content.get("schema") if isinstance(content, dict) else None
    if not isinstance(schema, str) or schema.split("/")[0] != SCHEMA.split("/")[0]:
        return None
    return str(content.get("kind", Kind.MEASURED))
