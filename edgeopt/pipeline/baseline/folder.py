"""A store that is a folder."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from edgeopt.core.errors import ModelError
from edgeopt.core.files import new_folder, writing
from edgeopt.core.refusals import reporting
from edgeopt.pipeline.baseline.store import ELSEWHERE


@dataclass(frozen=True)
class FolderStore:
    """Files in a folder; each is written under another name and renamed.

    Args:
        folder: The folder; made when something is put there.
    """

    folder: Path

    @property
    def where(self) -> str:
        """The folder, as it was given."""
        return str(self.folder)

    def read(self, key: str) -> bytes | None:
        """A small file; None if it isn't there."""
        path = self.folder / key
        try:
            return path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _unreadable(path, error) from error

    def fetch(self, key: str, to: Path) -> bool:
        """Copy a file to ``to``; False if it isn't there."""
        path = self.folder / key
        try:
            file = path.open("rb")
        except FileNotFoundError:
            return False
        except OSError as error:
            raise _unreadable(path, error) from error
        with file, to.open("wb") as copy:
            shutil.copyfileobj(file, copy)
        return True

    def put(self, key: str, file: Path) -> None:
        """Copy ``file`` into the store."""
        with self._place(key) as path, writing(path, ELSEWHERE) as copy, file.open("rb") as source:
            shutil.copyfileobj(source, copy)

    def write(self, key: str, data: bytes) -> None:
        """Write a small file."""
        with self._place(key) as path, writing(path, ELSEWHERE) as file:
            file.write(data)

    def remove(self, key: str) -> None:
        """Remove a file."""
        path = self.folder / key
        with reporting(path, ELSEWHERE):
            path.unlink(missing_ok=True)

    def files(self, folder: str) -> list[str]:
        """The names of the files in a folder."""
        path = self.folder / folder
        try:
            # Hidden ones are being written.
            return sorted(p.name for p in path.iterdir() if not p.name.startswith("."))
        except FileNotFoundError:
            return []
        except OSError as error:
            raise _unreadable(path, error) from error

    @contextmanager
    def _place(self, key: str) -> Iterator[Path]:
        path = self.folder / key
        with new_folder(path.parent, ELSEWHERE):
            yield path


def _unreadable(path: Path, error: OSError) -> ModelError:
    return ModelError(
        f"{path}: can't be read: {error.strerror or error}",
        hint="check what is there, or name another store with --store",
    )
