"""Names of baselines: what one may be, and which one may have been meant."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from pathlib import PurePosixPath

from edgeopt.core.errors import MissingBaselineError, ModelError, UsageError

LONGEST = 64

_NAME = re.compile(r"[a-z0-9]([a-z0-9._-]*[a-z0-9])?")
_DIGEST = re.compile(r"[0-9a-f]{64}")


def check_name(name: str) -> str:
    """The name, if it is one.

    Small letters alone: `Main` and `main` would be one file on Windows and macOS, two elsewhere.

    Raises:
        UsageError: If it isn't.
    """
    if len(name) > LONGEST or not _NAME.fullmatch(name):
        raise UsageError(
            f"{name!r} is no name for a baseline",
            hint=f"use small letters and digits, with . _ - between them, {LONGEST} at most",
        )
    return name


def unknown_name(name: str, known: Sequence[str], store: str) -> MissingBaselineError:
    """There is no such baseline."""
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"make it with `edgeopt baseline save ARTIFACT --name {name}`"
    if known:
        hint = f"there are: {', '.join(known)}"
    if near:
        hint = f"did you mean {near[0]!r}? {hint}"
    return MissingBaselineError(f"no baseline {name!r} in {store}", hint=hint)


def stays_inside(path: str) -> bool:
    """Whether a path with ``/`` between folders stays in its folder, on every system."""
    parts = PurePosixPath(path).parts
    return bool(parts) and parts[0] != "/" and ".." not in parts and not set(path) & set("\\:")


def check_stored(path: str, digest: str, where: str) -> None:
    """Refuse what a store's file could say to have others written or read outside of their folder.

    Raises:
        ModelError: If the path leaves the artifact's folder, or the digest is none.
    """
    if not stays_inside(path) or not _DIGEST.fullmatch(digest):
        raise ModelError(
            f"{where}: names a file {path!r} that no baseline has",
            hint="don't trust this store; save the baseline again in one of your own",
        )
