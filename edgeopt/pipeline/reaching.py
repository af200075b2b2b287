"""Where a target is, and what is known of one that only its address names."""

from __future__ import annotations

from pathlib import Path

from edgeopt.core.errors import UnsupportedError, UsageError
from edgeopt.core.progress import Progress
from edgeopt.pipeline.probe import as_toml, probe
from edgeopt.targets import TfliteRuntime, load_target
from edgeopt.targets.address import Address, parse_address, split_target
from edgeopt.targets.transport import Transport


def reached(target: str) -> tuple[str | None, Address]:
    """A target's profile, None for an address alone, and its address.

    Raises:
        UsageError: If it isn't known where it is.
        UnsupportedError: If it is a microcontroller.
    """
    profile, address = split_target(target)
    if address is None:
        assert profile is not None
        known = load_target(profile)
        if not known.address and known.tflite is TfliteRuntime.MICRO:
            raise UnsupportedError(
                f"nothing is measured from here on target {known.name!r}: it runs TFLite Micro",
                hint="time it in the firmware; without --target it is this machine",
            )
        if not known.address:
            raise UsageError(
                f"nothing says where target {known.name!r} is",
                hint=f"write {known.name}@ssh://user@host or {known.name}@adb://serial, or its "
                "address into its TOML file; without --target it is this machine",
            )
        address = parse_address(known.address)
    return profile, address


def probed(device: Transport, path: Path, progress: Progress) -> str:
    """A profile for an address alone: the device's, as a file for ``--target``."""
    path.write_text(as_toml(probe(device, progress)), encoding="utf-8")
    return str(path)
