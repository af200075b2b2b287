"""What a target's runtime needs of a TFLite artifact besides: firmware, or a check."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec

from edgeopt.converters import edge_tpu
from edgeopt.converters.micro import sources
from edgeopt.converters.micro.firmware import write_firmware
from edgeopt.core.errors import EdgeOptError, OutputError
from edgeopt.core.files import sha256
from edgeopt.core.manifest import Manifest, read_manifest
from edgeopt.core.precision import Format
from edgeopt.core.tflite_file import read_tflite
from edgeopt.core.version import __version__
from edgeopt.targets import Profile, TfliteRuntime


def for_runtime(manifest: Manifest, artifact: Path, target: Profile) -> Manifest:
    """The manifest with what the target's runtime asks for; its files are written beside.

    Raises:
        UnsupportedError: If the runtime can't run the artifact.
    """
    if target.tflite is TfliteRuntime.MICRO:
        return msgspec.structs.replace(
            manifest, firmware=write_firmware(artifact, f"EdgeOpt {__version__}")
        )
    if target.tflite is TfliteRuntime.EDGE_TPU:
        file = read_tflite(artifact)
        warnings = (*manifest.warnings, *edge_tpu.warnings(file))
        found = edge_tpu.examine(file)
        return msgspec.structs.replace(manifest, edge_tpu=found, warnings=warnings)
    return manifest


def files_beside(manifest: Manifest, artifact: Path) -> Iterator[Path]:
    """The files that belong to an artifact, where it is."""
    for file in manifest.firmware.files if manifest.firmware else ():
        yield artifact.with_name(file.name)


def check_beside_replaceable(artifact: Path, fmt: Format, target: Profile, *, force: bool) -> None:
    """Refuse to overwrite a file that the artifact's manifest doesn't describe.

    Raises:
        OutputError: If there is one, and not ``force``.
    """
    if force or fmt is not Format.TFLITE or target.tflite is not TfliteRuntime.MICRO:
        return
    ours = _ours(artifact)
    for path in sources.paths(artifact):
        if path.exists() and ours.get(path.name) != sha256(path):
            raise OutputError(
                f"{path}: is there already and was not made by EdgeOpt, or was changed since",
                hint="choose another folder with -o, or replace it with --force",
            )


def left_over(artifact: Path, manifest: Manifest) -> Iterator[Path]:
    """Files beside an artifact that belong to the one it replaces only, and weren't changed since.

    Args:
        artifact: Where it goes.
        manifest: The new one's.
    """
    kept = set(files_beside(manifest, artifact))
    for name, digest in _ours(artifact).items():
        path = artifact.with_name(name)
        if path not in kept and path.is_file() and sha256(path) == digest:
            yield path


def _ours(artifact: Path) -> dict[str, str]:
    try:
        manifest = read_manifest(artifact)
    except (EdgeOptError, OSError):
        return {}
    if manifest is None or manifest.firmware is None:
        return {}
    return {file.name: file.sha256 for file in manifest.firmware.files}
