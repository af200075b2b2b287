"""What is said of artifacts that stayed below their verification floors."""

from __future__ import annotations

from collections.abc import Sequence

from edgeopt.core.errors import VerificationError
from edgeopt.core.manifest import Manifest


def raise_failures(failed: Sequence[Manifest]) -> None:
    """Tell of all of them in one line.

    Args:
        failed: Their manifests.

    Raises:
        VerificationError: If there are any.
    """
    if not failed:
        return
    told = "; ".join(map(_failure, failed))
    raise VerificationError(
        f"{told}; kept as {', '.join(manifest.artifact for manifest in failed)}",
        hint="look at it with `edgeopt inspect`; --min-sqnr sets another floor, --no-verify none",
    )


def _failure(manifest: Manifest) -> str:
    checks = [c for c in (manifest.source_check, manifest.verification) if c is not None]
    failing = next(c for c in checks if not c.passed)
    worst = failing.worst
    return (
        f"{manifest.artifact.removesuffix('.failed')}: output {worst.output!r} has an SQNR of "
        f"{worst.sqnr_db:.1f} dB against the {failing.reference}, below the floor of "
        f"{failing.floor_db:g} dB"
    )
