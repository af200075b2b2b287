"""What artifacts are called, and which files may be replaced."""

from __future__ import annotations

from pathlib import Path

from edgeopt.converters.tensorrt import delivery
from edgeopt.core.errors import EdgeOptError, OutputError
from edgeopt.core.manifest import manifest_path, read_manifest
from edgeopt.core.precision import Format, Precision
from edgeopt.targets import DEFAULT_TARGET, Profile, load_target


def artifact_name(model: str, fmt: Format, precision: Precision, target: Profile) -> str:
    """``<model>.<precision>.<ext>``; the target is named where its encoding isn't the default.

    An engine is for one target, so that it is always named; where none can be built it is a kit.
    """
    if fmt is Format.TENSORRT:
        return f"{model}.{precision.value}.{target.name}{delivery.suffix(target)}"
    special = precision.quantizes and (
        target.rules(fmt).deciding(precision)
        != load_target(DEFAULT_TARGET).rules(fmt).deciding(precision)
    )
    middle = f".{target.name}" if special else ""
    return f"{model}.{precision.value}{middle}{fmt.suffix}"


def failed_path(artifact: Path) -> Path:
    """Where an artifact below its verification floor is kept."""
    return artifact.with_name(artifact.name + ".failed")


def check_replaceable(artifact: Path, *, force: bool) -> None:
    """Refuse to overwrite a file that isn't an artifact of ours, as its manifest describes it.

    Raises:
        OutputError: If ``artifact`` or its manifest is there and isn't ours, and not ``force``.
    """
    manifest = manifest_path(artifact)
    taken = artifact if artifact.exists() else manifest if manifest.exists() else None
    if force or taken is None or _ours(artifact):
        return
    raise OutputError(
        f"{taken}: is there already and was not made by EdgeOpt, or was changed since",
        hint="choose another folder with -o, or replace it with --force",
    )


def _ours(artifact: Path) -> bool:
    try:
        return read_manifest(artifact) is not None
    except (EdgeOptError, OSError):
        return False
