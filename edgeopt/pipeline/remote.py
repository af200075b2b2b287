"""Measuring on a device that can be reached: a bundle goes there, and what it found comes back."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from edgeopt.benchmarks.result import BenchmarkReport
from edgeopt.core.errors import UsageError
from edgeopt.core.progress import Progress
from edgeopt.pipeline.bundle import bundle
from edgeopt.pipeline.probe import as_toml, probe
from edgeopt.pipeline.results import import_results
from edgeopt.pipeline.runner import RESULT, PythonBundle
from edgeopt.targets import load_target
from edgeopt.targets.address import Address, parse_address, split_target
from edgeopt.targets.transport import Transport, reach


def benchmark_there(
    artifacts: Sequence[str | Path],
    target: str,
    *,
    accuracy: Any,
    save: bool,
    progress: Progress,
    ssh_config: Path | None = None,
    **options: Any,
) -> BenchmarkReport:
    """Measure artifacts on a device.

    Args:
        artifacts: The artifacts.
        target: The device.
        accuracy: ``top1`` and the like.
        save: Write each measurement beside its artifact.
        progress: Told how far it is.
        ssh_config: An ssh configuration instead of the user's own.
        options: As :func:`edgeopt.bundle` has them.

    Raises:
        UsageError: If the target has no address.
        MeasurementError: If the device can't be reached, or can't measure.
        EdgeOptError: As ``bundle`` and ``import_results``.
    """
    profile, address = _reached(target)
    wanted = accuracy if isinstance(accuracy, str) else ",".join(map(str, accuracy))
    with (
        tempfile.TemporaryDirectory(prefix="edgeopt-", ignore_cleanup_errors=True) as scratch,
        reach(address, ssh_config) as device,
    ):
        folder = Path(scratch, "bundle")
        known = profile or _probed(device, Path(scratch, "probed.toml"), progress)
        made = bundle(
            artifacts, folder, target=known, accuracy=wanted, progress=progress, **options
        )
        answer = Path(scratch, RESULT)
        runner = PythonBundle(made.bundle)
        with device.folder() as run:
            answer.write_bytes(runner.measure(device, run, folder, progress))
        return import_results(answer, artifacts, save=save)


def _probed(device: Transport, path: Path, progress: Progress) -> str:
    """A profile for an address alone: the device's, as a file for ``--target``."""
    path.write_text(as_toml(probe(device, progress)), encoding="utf-8")
    return str(path)


def _reached(target: str) -> tuple[str | None, Address]:
    profile, address = split_target(target)
    if address is None:
        assert profile is not None
        known = load_target(profile)
        if not known.address:
            raise UsageError(
                f"where target {known.name!r} is isn't known",
                hint=f"write {known.name}@ssh://user@host, or its address into its TOML file",
            )
        address = parse_address(known.address)
    return profile, address
