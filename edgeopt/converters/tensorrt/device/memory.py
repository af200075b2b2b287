"""A bound on this process's memory."""

from __future__ import annotations

import sys
from typing import Optional


def limit_memory(most: Optional[int]) -> None:
    """Let this process have at most so many bytes of data, where the system can be asked to.

    What is only reserved doesn't count, of which a GPU's driver takes a lot.
    """
    if most is None or not sys.platform.startswith("linux"):
        return
    import resource

    resource.setrlimit(resource.RLIMIT_DATA, (most, most))
