"""What a device's runtime makes of a TFLite artifact, where that isn't LiteRT."""

from __future__ import annotations

from edgeopt.cli.figures import decibels, plural, size
from edgeopt.core.manifest import Manifest
from edgeopt.core.on_device import EdgeTpu, Firmware

_MOST = 5


def on_device(manifest: Manifest) -> list[str]:
    """A few lines; none for LiteRT."""
    found = []
    if manifest.firmware is not None:
        found.append(f"{manifest.artifact}: {_firmware(manifest.firmware)}")
    if manifest.edge_tpu is not None:
        found += [f"{manifest.artifact}: {line}" for line in _edge_tpu(manifest.edge_tpu)]
    return found


def _firmware(firmware: Firmware) -> str:
    names = ", ".join(file.name for file in firmware.files)
    if firmware.arena_bytes is None:
        arena = f"how large the arena has to be is not known: {firmware.absent}"
    else:
        arena = (
            f"it takes {size(firmware.arena_bytes)} of the tensor arena on a 64-bit machine, and "
            f"answers there {_alike(firmware.sqnr_db)}"
        )
    count = plural(len(firmware.operators), "operator")
    return f"{names} have the model as a C array and its {count}; {arena}."


def _alike(sqnr_db: float | None) -> str:
    return "as in LiteRT" if sqnr_db is None else f"within {decibels(sqnr_db)} of LiteRT"


def _edge_tpu(found: EdgeTpu) -> list[str]:
    lines = [
        f"by Coral's rules the Edge TPU computes {found.mapped} of {plural(found.nodes, 'node')}; "
        "compile it with `edgetpu_compiler`, which has the last word."
    ]
    lines += [
        f"{node.op} ({node.tensor}) stays on the CPU: {node.reason}."
        for node in found.stranded[:_MOST]
    ]
    if len(found.stranded) > _MOST:
        lines.append(f"{len(found.stranded) - _MOST} more stay on the CPU: see its manifest.")
    return lines
