"""What a target gets: an engine if this machine can build one for it, else a kit."""

from __future__ import annotations

import platform
import sys
from dataclasses import dataclass
from importlib.util import find_spec

from edgeopt.core.errors import MissingExtraError
from edgeopt.core.gpu import local_gpu
from edgeopt.targets import Gpu, Profile

RTX, CLASSIC = "tensorrt_rtx", "tensorrt"
"""TensorRT for RTX, which builds anywhere; and TensorRT, which builds for the GPU beside it."""

ENGINE, KIT = ".engine", ".kit"

RTX_CAPABILITIES = ("7.5", "8.0", "8.6", "8.9", "12.0", "12.1")
"""What TensorRT for RTX builds for; a test holds it equal to the module's own list."""


@dataclass(frozen=True)
class Builder:
    """What builds an engine on this machine.

    Args:
        module: TensorRT's Python module.
        capability: The compute capability that it is told, as ``SM89``; None to leave it to the
            module.
    """

    module: str
    capability: str | None = None


def builder_for(target: Profile) -> Builder | None:
    """What can build for a target here, once it is installed; None if nothing can."""
    gpu = target.gpu
    assert gpu is not None, "checked when the options were read"
    if _here(gpu) and not has(RTX) and has(CLASSIC):
        return Builder(CLASSIC)
    if gpu.compute_capability in ("", *RTX_CAPABILITIES) and (has(RTX) or rtx_installs_here()):
        return Builder(RTX, gpu.name or None)
    return Builder(CLASSIC) if _here(gpu) and has(CLASSIC) else None


def suffix(target: Profile) -> str:
    """Of what the target gets: ``.engine`` or ``.kit``."""
    return KIT if builder_for(target) is None else ENGINE


def check(target: Profile) -> None:
    """Refuse to build before any work where the builder isn't installed.

    Raises:
        MissingExtraError: If it isn't.
    """
    builder = builder_for(target)
    if builder is not None and not has(builder.module):
        raise MissingExtraError(f"a TensorRT engine for {target.name}", RTX, "tensorrt")


def has(module: str) -> bool:
    """Whether a module is installed; it may still be broken."""
    return find_spec(module) is not None


def rtx_installs_here() -> bool:
    """Whether TensorRT for RTX can be installed on such a machine: it has wheels for two."""
    return sys.platform in ("linux", "win32") and platform.machine() in ("x86_64", "AMD64")


def _here(gpu: Gpu) -> bool:
    found = local_gpu()
    return found is not None and gpu.compute_capability in ("", found.compute_capability)
