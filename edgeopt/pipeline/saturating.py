"""Noticing artifacts whose integer sums a processor cuts off."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from edgeopt.benchmarks.artifact import Artifact
from edgeopt.benchmarks.conditions import Machine
from edgeopt.core.precision import Format

_X86 = ("x86_64", "AMD64")
_EXACT = {"avx512_vnni", "avx_vnni"}


def machine_saturates(machine: Machine) -> bool:
    """Whether a machine's kernels add 8-bit products in 16 bits: x86 without VNNI does.

    Where the instruction sets aren't known it is taken not to.
    """
    isa = machine.isa.value
    return machine.architecture in _X86 and isa is not None and not _EXACT & {*isa}


def saturating(artifact: Artifact, on: str) -> Iterator[str]:
    """A sentence if an artifact's sums may be cut off on a processor that saturates.

    Args:
        artifact: The artifact.
        on: What has the processor, as the sentence names it.
    """
    onnx = artifact.format is Format.ONNX  # LiteRT's kernels add exactly
    ours = artifact.manifest is not None and artifact.manifest.precision.adds_integers
    if onnx and ours and _may_saturate(artifact.path):
        yield (
            f"{artifact.name}: its 8-bit weights saturate in {on}'s kernels, which costs "
            f"accuracy that it has on its target; for {on} convert with --target x86-64"
        )


def _may_saturate(artifact: Path) -> bool:
    from edgeopt.converters.onnx.saturation import pair_bounds

    return any(not bound.safe for bound in pair_bounds(artifact))
