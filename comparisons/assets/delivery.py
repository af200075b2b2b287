"""Where assets go: the output folder, what is already in it, and how new files get there."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

DEFAULT_FOLDER = Path(__file__).resolve().parent.parent / ".cache" / "assets"


def folder_argument(description: str | None, arguments: Sequence[str] | None) -> Path:
    """Read ``-o DIR`` and create that folder.

    Args:
        description: Text for ``--help``.
        arguments: Command-line words without the program's name; None means ``sys.argv``.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument(
        "-o",
        dest="folder",
        metavar="DIR",
        type=Path,
        default=DEFAULT_FOLDER,
        help="folder for the files (default: comparisons/.cache/assets)",
    )
    folder: Path = parser.parse_args(arguments).folder
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def is_complete(folder: Path, names: Sequence[str]) -> bool:
    """Tell, and print, whether every named file is already in the folder."""
    complete = all((folder / name).exists() for name in names)
    if complete:
        print(f"already there: {', '.join(names)}")
    return complete


@contextmanager
def staged(folder: Path, names: Sequence[str]) -> Iterator[Path]:
    """Give a scratch folder, and move the named files from it to ``folder`` at the end.

    Nothing is moved when the body raises, so a file in ``folder`` is always a whole one.
    """
    with tempfile.TemporaryDirectory(dir=folder, prefix=".staging-") as scratch:
        yield Path(scratch)
        for name in names:
            (Path(scratch) / name).replace(folder / name)
            print(f"wrote {name}: {(folder / name).stat().st_size / 1e6:.1f} MB")
