"""What is said of artifacts that stayed below their verification floors."""

from __future__ import annotations

from collections.abc import Sequence

from edgeopt.benchmarks.device.distance import ONLY_NOISE
from edgeopt.core.errors import VerificationError
from edgeopt.core.manifest import Manifest
from edgeopt.core.precision import Format, Precision
from edgeopt.pipeline.making import Artifact


def raise_failures(failed: Sequence[Artifact], result: object) -> None:
    """Tell of all of them in one line.

    Args:
        failed: Those that were set aside.
        result: All that was made.

    Raises:
        VerificationError: If there are any.
    """
    if not failed:
        return
    told = "; ".join(_failure(each.manifest) for each in failed)
    raise VerificationError(
        f"{told}; kept as {', '.join(each.manifest.artifact for each in failed)}",
        hint=f"{_look_at(failed)}; --min-sqnr sets another floor, --no-verify none",
        result=result,
    )


def _look_at(failed: Sequence[Artifact]) -> str:
    for each in failed:
        manifest = each.manifest
        lost = manifest.source_check is None or manifest.source_check.passed
        if lost and manifest.format is Format.ONNX and manifest.precision is not Precision.FP32:
            return f"`edgeopt diagnose {each.path}` says where it is lost"
    return f"look at it with `edgeopt inspect {failed[0].path}`"


def _failure(manifest: Manifest) -> str:
    checks = [c for c in (manifest.source_check, manifest.verification) if c is not None]
    failing = next(c for c in checks if not c.passed)
    worst = failing.worst
    name, decibels = manifest.artifact.removesuffix(".failed"), worst.sqnr_db
    # The least there is stands for it: decibels have no end.
    noise = decibels is not None and decibels <= ONLY_NOISE
    found = "is nothing but noise" if noise else f"has an SQNR of {decibels:.1f} dB"
    return (
        f"{name}: output {worst.output!r} {found} against the {failing.reference}, below the "
        f"floor of {failing.floor_db:g} dB"
    )
