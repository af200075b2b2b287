"""Which baseline belongs to an artifact."""

from __future__ import annotations

import os
import re
from pathlib import Path

from edgeopt.core.errors import UsageError
from edgeopt.pipeline.baseline.names import check_name

PLACE = "{name}"
"""Stands for the artifact in a baseline's name, where one run has several of them."""

_OTHER = re.compile(r"[^a-z0-9._-]+")
_FILES = (".onnx", ".tflite", ".engine")


def baseline_of(artifact: Path, told: str) -> str:
    """What to compare an artifact with: ``@NAME``, or a file.

    The ``@`` may be missing: ``pytest --edgeopt-baseline @main`` is pytest's way to read arguments
    from a file.

    Args:
        artifact: The artifact.
        told: A name, with ``{name}`` for the artifact's own; a file; or a folder that has a file of
            the artifact's name.

    Raises:
        UsageError: If it is none of them.
    """
    if told.startswith("@") or not _is_path(told):
        name = told.removeprefix("@").replace(PLACE, own_name(artifact))
        return f"@{check_name(name)}"
    path = Path(told)
    return str(path / artifact.name if path.is_dir() else path)


def own_name(artifact: Path) -> str:
    """An artifact's part of a baseline's name: its file's, in the letters that one may have."""
    return _OTHER.sub("-", artifact.name.lower()).strip("._-") or "artifact"


def saving_name(baseline: str) -> str:
    """The name to save something under.

    Raises:
        UsageError: If it is a file.
    """
    if not baseline.startswith("@"):
        raise UsageError(
            f"--edgeopt-save-baseline needs a name, and {baseline} is a file",
            hint="name one with --edgeopt-baseline NAME",
        )
    return baseline.removeprefix("@")


def _is_path(told: str) -> bool:
    separated = os.sep in told or "/" in told
    return separated or told.endswith(_FILES) or Path(told).is_dir()
