"""Which machine a pair is run on: this one, or a device that ssh reaches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from edgeopt.benchmarks.artifact import Artifact
from edgeopt.benchmarks.measure import HOST
from edgeopt.core.errors import UnsupportedError, UsageError
from edgeopt.core.precision import Format
from edgeopt.core.progress import Progress
from edgeopt.core.scratch import scratch_folder
from edgeopt.pipeline.reaching import probed, reached
from edgeopt.targets import Profile, load_target
from edgeopt.targets.address import Address
from edgeopt.targets.ssh import SshDevice


@dataclass(frozen=True)
class Place:
    """A machine.

    Args:
        name: What it is called in results: its profile's name.
        profile: What is known of it; None of this machine.
        device: How it is reached; None for this machine.
    """

    name: str
    profile: Profile | None = None
    device: SshDevice | None = None

    @property
    def threads(self) -> int:
        """Threads that suit it."""
        return 1 if self.profile is None else self.profile.threads

    def check(self, artifacts: Sequence[Artifact]) -> None:
        """Refuse artifacts that can't be timed in pairs there.

        Raises:
            UnsupportedError: If one is an engine, or a native program would measure it.
        """
        if self.device is None or self.profile is None:
            return
        for artifact in artifacts:
            if artifact.format is Format.TENSORRT:
                raise UnsupportedError(
                    f"{artifact.name}: an engine isn't compared on a device",
                    hint="its kit builds and times it there: see the guide's page on TensorRT",
                )
            if artifact.format in self.profile.binaries:
                raise UnsupportedError(
                    f"target {self.name!r} measures {artifact.format.value} by a native program, "
                    "which times one artifact at a time: pairs share a process",
                    hint="leave `binaries` out of its profile, if the device has Python 3.8",
                )


@contextmanager
def placed(target: str | None, progress: Progress) -> Iterator[Place]:
    """The machine that a target is, connected for as long as the block lasts.

    Args:
        target: As ``edgeopt.compare`` has it.
        progress: Told how far it is.

    Raises:
        UsageError: If there is no such target, it isn't known where it is, or it is emulated.
        UnsupportedError: If adb reaches it.
        MeasurementError: If only its address is given, and it can't be reached.
    """
    if target in (None, HOST):
        yield Place(HOST)
        return
    assert target is not None
    name, address = reached(target)
    profile = None if name is None else load_target(name)
    _check(address)
    with SshDevice(address) as device:
        profile = profile or _probed(device, progress)
        yield Place(profile.name, profile, device)


def emulated(address: Address) -> UsageError:
    """The error for a device that isn't one."""
    return UsageError(
        f"{address}: it is emulated, so its latencies say nothing of a device's",
        hint="compare on the device itself, or here: leave --target out",
    )


def _check(address: Address) -> None:
    if address.scheme == "emulated":
        raise emulated(address)
    if address.scheme == "adb":
        raise UnsupportedError(
            f"{address}: pairs share a process of Python's, which adb's devices don't have; native "
            "programs time one artifact at a time",
            hint="compare on a device that ssh reaches; `edgeopt benchmark` measures on this one",
        )


def _probed(device: SshDevice, progress: Progress) -> Profile:
    with scratch_folder() as scratch:
        return load_target(probed(device, scratch / "probed.toml", progress))
