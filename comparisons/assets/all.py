"""Bring every asset into one folder, each by its own script."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence

from delivery import folder_argument

ASSETS = (
    "efficientnet_lite0",
    "photographs",
    "digit_recognizer",
    "facenet_pnet",
    "silero_vad",
    "minilm",
    "fer",
    "basic_pitch",
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the scripts in turn; return 1 if one of them lacks a library, else 0."""
    folder = folder_argument(__doc__, arguments)
    lacking: list[str] = []
    for name in ASSETS:
        print(f"== {name}")
        try:
            importlib.import_module(name).main(["-o", str(folder)])
        except ModuleNotFoundError as error:
            lacking.append(f"{name} was left out: it needs {error.name} installed")
    for line in lacking:
        print(line)
    return 1 if lacking else 0


if __name__ == "__main__":
    sys.exit(main())
