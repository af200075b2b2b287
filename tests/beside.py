"""The modules of ``comparisons/``, which are no package: there while they are tested."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).parents[1]
COMPARISONS = ROOT / "comparisons"


@contextmanager
def comparisons(*names: str) -> Iterator[dict[str, ModuleType]]:
    """Import modules of theirs by name, and take all that came with them away again."""
    before = set(sys.modules)
    sys.path.insert(0, str(COMPARISONS))
    try:
        yield {name: importlib.import_module(name) for name in names}
    finally:
        sys.path.remove(str(COMPARISONS))
        for name in set(sys.modules) - before:
            place = getattr(sys.modules[name], "__file__", None) or ""
            if Path(place).is_relative_to(COMPARISONS):
                del sys.modules[name]
