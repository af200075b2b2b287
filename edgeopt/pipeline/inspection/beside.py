"""The manifest beside an artifact, and whether it can be believed."""

from __future__ import annotations

from pathlib import Path

from edgeopt.core.errors import EdgeOptError
from edgeopt.core.manifest import Manifest, manifest_path, read_manifest
from edgeopt.pipeline.inspection.records import ManifestState


def manifest_beside(path: Path) -> tuple[ManifestState, Manifest | None, list[str]]:
    """Whether there is a manifest of this very file; the manifest if so; what to warn of."""
    beside = manifest_path(path)
    if not beside.is_file():
        return ManifestState.ABSENT, None, []
    try:
        manifest = read_manifest(path)
    except EdgeOptError as error:
        return ManifestState.UNREADABLE, None, [f"{error.message}: it is not a manifest of ours"]
    if manifest is None:
        told = (
            f"{beside} describes another file: this one was changed since, and it is not believed"
        )
        return ManifestState.STALE, None, [told]
    return ManifestState.MATCHES, manifest, list(manifest.warnings)
