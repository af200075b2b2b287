"""Measurements as files of their own, beside the artifact."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from edgeopt.benchmarks.result import SCHEMA, Measurement
from edgeopt.core.errors import OutputError
from edgeopt.core.files import reporting, write_bytes
from edgeopt.core.record import from_json, to_json


def measurement_path(artifact: Path, target: str) -> Path:
    """``<artifact>.<target>.benchmark.json``."""
    return artifact.with_name(f"{artifact.name}.{target}.benchmark.json")


def check_writable(artifact: Path, target: str) -> None:
    """Make sure, before anything is timed, that the measurement can be written.

    Raises:
        OutputError: If a file of that name is there that isn't a measurement, or the folder can't
            be written.
    """
    path = measurement_path(artifact, target)
    if path.exists() and not _is_measurement(path):
        raise OutputError(
            f"{path}: exists and is not a benchmark result", hint="move it away, or use --no-save"
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


def _is_measurement(path: Path) -> bool:
    # The schema's name alone, without its number: a result of another version is still ours.
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return False
    schema = content.get("schema") if isinstance(content, dict) else None
    return isinstance(schema, str) and schema.split("/")[0] == SCHEMA.split("/")[0]
