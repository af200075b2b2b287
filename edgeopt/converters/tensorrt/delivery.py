"""What a target gets: an engine if this machine can build one for it, else a kit."""

from __future__ import annotations

import platform
import sys
from dataclasses import dataclass
from importlib.util import find_spec

from edgeopt.converters.tensorrt.device.trtexec import find
from edgeopt.core.errors import MissingExtraError
from edgeopt.core.gpu import local_gpu
from edgeopt.targets import Profile

RTX, CLASSIC, COMMAND = "tensorrt_rtx", "tensorrt", "trtexec"
"""TensorRT for RTX, which builds anywhere; and TensorRT, which builds for the GPU beside it, by its
module or by its command."""

ENGINE, KIT = ".engine", ".kit"

RTX_CAPABILITIES = ("7.5", "8.0", "8.6", "8.9", "12.0", "12.1")
"""What TensorRT for RTX builds for; a test holds it equal to the module's own list."""


@dataclass(frozen=True)
class Builder:
    """What builds an engine on this machine.

    Args:
        module: TensorRT's Python module, or its command.
        capability: The compute capability that it is told, as ``SM89``; None to leave it to the
            module.
    """

    module: str
    capability: str | None = None


def builder_for(target: Profile) -> Builder | None:
    """What can build for a target here, once it is installed; None if nothing can."""
    gpu = target.gpu
    assert gpu is not None, "checked when the options were read"
    own = next((m for m in (CLASSIC, COMMAND) if has(m)), None) if fits_here(target) else None
    rtx = gpu.compute_capability in ("", *RTX_CAPABILITIES)
    if rtx and (has(RTX) or (own is None and rtx_installs_here())):
        return Builder(RTX, gpu.name or None)
    return None if own is None else Builder(own)


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
    """Whether a module, or TensorRT's command, is installed; it may still be broken."""
    if module == COMMAND:
        return find() is not None
    return find_spec(module) is not None


def rtx_installs_here() -> bool:
    """Whether TensorRT for RTX can be installed on such a machine: it has wheels for two."""
    return sys.platform in ("linux", "win32") and platform.machine() in ("x86_64", "AMD64")


def fits_here(target: Profile) -> bool:
    """Whether this machine has the GPU that engines for a target are for."""
    gpu, found = target.gpu, local_gpu()
    if gpu is None or found is None:
        return False
    return gpu.compute_capability in ("", found.compute_capability)
