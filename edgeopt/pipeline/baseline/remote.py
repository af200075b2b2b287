"""A store that is a URL: a bucket, a branch of lakeFS, whatever fsspec has a file system for.

Only what every file system of fsspec has is used. Object stores show a file when all of it is
there; file servers show it while it is written, and so there it is renamed at the end.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgeopt.core.errors import EdgeOptError, MissingExtraError, ModelError, OutputError, UsageError
from edgeopt.pipeline.baseline.store import ELSEWHERE

_PASSWORD = re.compile(r"(://[^/@:]*):[^/@]*@")

SERVERS = {"ftp", "sftp", "ssh"}
"""Protocols under which a file is seen while it is written."""

BUCKETS = {"s3", "s3a", "gs", "gcs", "abfs", "abfss", "az", "oss", "lakefs"}
"""Those whose folders are parts of keys: making one would make a bucket of a misspelt name."""


@dataclass(frozen=True)
class RemoteStore:
    """Files below a path of a file system of fsspec's.

    Args:
        where: The URL without a password.
        system: The file system.
        root: The path in it.
    """

    where: str
    system: Any
    root: str

    def read(self, key: str) -> bytes | None:
        """A small file; None if it isn't there."""
        with self._reading():
            try:
                return bytes(self.system.cat_file(self._path(key)))
            except Exception as error:
                if self._has(key, error):
                    raise
                return None

    def fetch(self, key: str, to: Path) -> bool:
        """Copy a file to ``to``; False if it isn't there."""
        with self._reading():
            try:
                self.system.get_file(self._path(key), str(to))
            except Exception as error:
                if self._has(key, error):
                    raise
                return False
        return True

    def put(self, key: str, file: Path) -> None:
        """Copy ``file`` into the store."""
        with self._writing(key) as path:
            self.system.put_file(str(file), path)

    def write(self, key: str, data: bytes) -> None:
        """Write a small file."""
        with self._writing(key) as path:
            self.system.pipe_file(path, data)

    def remove(self, key: str) -> None:
        """Remove a file."""
        with self._told(OutputError, "written", f"check your rights there, or {ELSEWHERE}"):
            self.system.rm_file(self._path(key))

    def files(self, folder: str) -> list[str]:
        """The names of the files in a folder."""
        with self._reading():
            # What another job saved a minute ago is not in a listing that was kept.
            self.system.invalidate_cache()
            try:
                found = self.system.ls(self._path(folder), detail=False)
            except FileNotFoundError:
                return []
        return sorted(str(path).rstrip("/").rpartition("/")[2] for path in found)

    def _has(self, key: str, error: Exception) -> bool:
        """Whether a file that couldn't be read is there; FTP's error for one that isn't is any."""
        if isinstance(error, FileNotFoundError):
            return False
        folder, _, name = key.rpartition("/")
        return name in self.files(folder)

    def _path(self, key: str) -> str:
        return f"{self.root.rstrip('/')}/{key}"

    @contextmanager
    def _writing(self, key: str) -> Iterator[str]:
        path = self._path(key)
        protocol = self.system.protocol
        names = {protocol} if isinstance(protocol, str) else set(protocol)
        with self._told(OutputError, "written", f"check your rights there, or {ELSEWHERE}"):
            if not names & BUCKETS:
                self.system.makedirs(path.rpartition("/")[0], exist_ok=True)
            if not names & SERVERS:
                yield path
                return
            yield f"{path}.part"
            self.system.mv(f"{path}.part", path)

    def _reading(self) -> Any:
        return self._told(ModelError, "read", "check the URL and your rights there")

    @contextmanager
    def _told(self, kind: type[EdgeOptError], done: str, hint: str) -> Iterator[None]:
        try:
            yield
        except EdgeOptError:
            raise
        except Exception as error:  # each file system has a family of errors of its own
            told = str(error) or type(error).__name__
            raise kind(f"{self.where}: can't be {done}: {told}", hint=hint) from error


def open_url(url: str) -> RemoteStore:
    """The store at a URL.

    Raises:
        MissingExtraError: If fsspec isn't installed.
        UsageError: If it has no file system for it, or that one's package is missing or refuses.
    """
    try:
        from fsspec.core import url_to_fs
    except ModuleNotFoundError as error:
        raise MissingExtraError("a store at a URL", "fsspec", "store") from error
    where = _PASSWORD.sub(r"\1@", url)
    try:
        system, root = url_to_fs(url)
    except ImportError as error:
        raise UsageError(
            f"{where}: {error}", hint="install that package beside edgeopt, or use a folder"
        ) from error
    except Exception as error:  # each file system has a family of errors of its own
        raise UsageError(f"{where}: {error}", hint="check the URL and its credentials") from error
    return RemoteStore(where, system, root)
