"""Taking in what a bundle's program found on a device; nothing it says is believed unchecked."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from edgeopt.benchmarks.artifact import Artifact, read_artifact
from edgeopt.benchmarks.device.told import INSTALL
from edgeopt.benchmarks.failures import failed
from edgeopt.benchmarks.messages import Failed
from edgeopt.benchmarks.notes import notes
from edgeopt.benchmarks.process import UnreadableAnswerError, decode
from edgeopt.benchmarks.result import BenchmarkReport, Kind, Measurement
from edgeopt.benchmarks.store import check_writable, write_measurement
from edgeopt.core.errors import (
    DataError,
    EdgeOptError,
    MeasurementError,
    UsageError,
    VerificationError,
)
from edgeopt.pipeline.printable import printable, printable_record
from edgeopt.pipeline.saturating import machine_saturates, saturating
from edgeopt.targets.tethered import next_step

MOST_BYTES = 16 << 20
"""The largest result that is read: a real one has some kilobytes."""

_RESULT = "name the result.json that run.pyz wrote"

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def import_results(
    results: str | Path, artifacts: Sequence[str | Path], *, save: bool = True
) -> BenchmarkReport:
    """Read a bundle's result and file its measurements beside the artifacts.

    Args:
        results: The ``result.json`` that ``run.pyz`` wrote.
        artifacts: The artifacts that were bundled; known again by their digests.
        save: Write each measurement beside its artifact, ``<artifact>.<target>.benchmark.json``.

    Raises:
        DataError: If it isn't a result, or says what can't be.
        UsageError: If an artifact of it wasn't named, or one was named that isn't in it.
        MeasurementError: If the device couldn't measure; says why. So do ModelError and
            UnsupportedError, where the artifact is to blame.
        OutputError: If a measurement can't be written.
    """
    read = [read_artifact(path) for path in artifacts]
    report = _read(Path(results), [artifact.name for artifact in read])
    found = {artifact.sha256: artifact for artifact in read}
    _check_same(found, report, str(results))
    measurements = tuple(_ours(m, found[m.sha256], str(results)) for m in report.measurements)
    for measurement in measurements if save else ():
        check_writable(Path(measurement.artifact), measurement.target, measurement.kind)
    for measurement in measurements if save else ():
        write_measurement(measurement)
    return msgspec.structs.replace(
        report,
        measurements=measurements,
        budgets=(),
        notes=(*notes(measurements, report.ratios), *_saturating(measurements, found)),
    )


def _saturating(
    measurements: Sequence[Measurement], artifacts: dict[str, Artifact]
) -> Iterator[str]:
    for measurement in measurements:
        if machine_saturates(measurement.machine):
            yield from saturating(artifacts[measurement.sha256], "the device")


def check_outputs(report: BenchmarkReport) -> None:
    """Refuse artifacts that answered otherwise on the device.

    Raises:
        VerificationError: Names the artifact, the output, and how far off it is.
    """
    for measurement in report.measurements:
        checked = measurement.verification
        if checked is not None and not checked.passed:
            worst = checked.worst
            raise VerificationError(
                f"{measurement.artifact}: on {measurement.target} its output {worst.output!r} is "
                f"{worst.sqnr_db:.1f} dB from what it is here (floor {checked.floor_db:g} dB; at "
                f"most {worst.max_abs_error:.4g} off)",
                hint="the runtime there may have other kernels or be damaged: try another version",
            )


def _read(path: Path, names: Sequence[str]) -> BenchmarkReport:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise DataError(
                f"{path}: {path.stat().st_size} bytes are no result of a benchmark",
                hint=_RESULT,
            )
        data = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: {error.strerror or error}", hint=_RESULT) from error
    try:
        report = decode(data, BenchmarkReport, names, failed_there)
    except UnreadableAnswerError as error:
        raise DataError(f"{path}: not a result of a benchmark", hint=_RESULT) from error
    count = len(report.measurements)
    if not count or len(report.ratios) != count or not 0 <= report.baseline < count:
        raise DataError(f"{path}: it doesn't hold together", hint="measure again")
    return report


def failed_there(failure: Failed, names: Sequence[str]) -> EdgeOptError:
    """The error for what a device said went wrong."""
    failure = msgspec.structs.replace(failure, reason=printable(failure.reason))
    known = failure.artifact is not None and 0 <= failure.artifact < len(names)
    if known and failure.stage in ("load", "run"):
        return failed(failure, names)
    name = names[failure.artifact or 0] if known else ", ".join(names)
    return MeasurementError(
        f"{name}: the device could not measure it: {failure.reason}",
        hint=_next_step(failure),
    )


def _next_step(failure: Failed) -> str:
    missing = failure.stage == "runtime"
    how = [how for name, how in INSTALL.items() if missing and failure.reason.startswith(name)]
    return f"there: {how[0]}" if how else next_step(failure.reason)


def _check_same(found: dict[str, Artifact], report: BenchmarkReport, where: str) -> None:
    measured = {m.sha256 for m in report.measurements}
    unknown = [m.artifact for m in report.measurements if m.sha256 not in found]
    if unknown:
        raise UsageError(
            f"{where}: it is of {printable(unknown[0])}, and no artifact named here is that file",
            hint="name the artifacts that were bundled, as they were then",
        )
    missing = [artifact.name for digest, artifact in found.items() if digest not in measured]
    if missing:
        raise UsageError(f"{where}: there is nothing of {missing[0]} in it", hint="leave it out")


def _ours(measurement: Measurement, artifact: Artifact, where: str) -> Measurement:
    """A measurement with what is known here, and words that can be shown and be a file's name."""
    if measurement.kind is Kind.ESTIMATED or measurement.target == "host":
        raise DataError(
            f"{where}: a device's result is no {measurement.kind.value} one of "
            f"{printable(measurement.target)!r}",
            hint=_RESULT,
        )
    if not _NAME.fullmatch(measurement.target):
        raise DataError(
            f"{where}: {printable(measurement.target)!r} is no target's name",
            hint=_RESULT,
        )
    latency = measurement.latency
    times = (latency.count, latency.min, latency.q10, latency.p50, latency.mean)
    if any(time is not None and time <= 0 for time in times):
        raise DataError(
            f"{where}: nothing takes {latency.mean:g} ms, or was timed {latency.count} times",
            hint="measure again; look after the device's clock",
        )
    clean = printable_record(measurement)
    return msgspec.structs.replace(
        clean,
        artifact=artifact.name,
        size_bytes=artifact.size_bytes,
        format=artifact.format,
        precision=artifact.precision,
    )
