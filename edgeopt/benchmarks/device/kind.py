"""Whether this is a device, or an emulation of one whose figures must never pass for its own."""

from __future__ import annotations

import os

MARKER = "etc/edgeopt-emulated"
"""A file that the root of every emulated device has; it is looked for at each run."""


def kind(root: str = "/") -> str:
    """``emulated`` where the marker is, else ``measured``."""
    return "emulated" if os.path.exists(os.path.join(root, MARKER)) else "measured"
