"""Writing files so that nothing is ever half-written and nothing the user had is lost."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from edgeopt.core.errors import ModelError
from edgeopt.core.refusals import OTHER, reporting
from edgeopt.core.scratch import part_file

_CHUNK = 1 << 20


def weights_of(path: Path) -> Path:
    """Where the weights of an ONNX file of ours lie that keeps them apart."""
    return path.with_name(f"{path.name}.data")


def check_file(path: Path) -> None:
    """Refuse what is no file.

    Raises:
        ModelError: If there is nothing of that name, or a folder.
    """
    if path.is_dir():
        raise ModelError(f"{path}: is a folder", hint="name the file in it")
    if not path.is_file():
        raise ModelError(f"{path}: no such file", hint="check the path")


def sha256(path: Path) -> str:
    """The SHA-256 of a file's bytes, in hex; of a folder, that of its files' names and digests."""
    if path.is_dir():
        return _folder_sha256(path)
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _folder_sha256(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        digest.update(
            f"{path.relative_to(folder).as_posix()}\0{sha256(path)}\n".encode(
                "utf-8", "surrogateescape"
            )
        )
    return digest.hexdigest()


def size_of(path: Path) -> int:
    """A file's size in bytes; a folder's is that of its files."""
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file())


@contextmanager
def new_folder(folder: Path, other: str = OTHER) -> Iterator[None]:
    """Create ``folder`` for the block; if nothing is in it at the end, leave no trace of it.

    Args:
        folder: The folder.
        other: How the user can choose another.

    Raises:
        OutputError: If it can't be created.
    """
    missing = [p for p in (folder, *folder.parents) if not p.exists()]
    with reporting(folder, other):
        folder.mkdir(parents=True, exist_ok=True)
    try:
        yield
    finally:
        for made in missing:
            with contextlib.suppress(OSError):  # not empty: it is wanted
                made.rmdir()


def write_bytes(path: Path, data: bytes) -> None:
    """Write ``data`` under a temporary name beside ``path``, then rename it into place.

    Raises:
        OutputError: If the folder can't be written or the disk is full.
    """
    with writing(path) as file:
        file.write(data)


@contextmanager
def writing(path: Path, other: str = OTHER) -> Iterator[IO[bytes]]:
    """A file to write to, of a temporary name beside ``path``; renamed into place at the end.

    Args:
        path: The file.
        other: How the user can choose another place.

    Raises:
        OutputError: If the folder can't be written or the disk is full.
    """
    with reporting(path, other), part_file(path.parent) as (handle, temporary):
        with os.fdopen(handle, "wb") as file:
            yield file
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)


def append(path: Path, data: bytes) -> None:
    """Add ``data`` to a file, in one write where the system takes it all; else nothing of it.

    Raises:
        OSError: If it can't be written.
    """
    with path.open("ab", buffering=0) as file:
        done = file.write(data)
        if done == len(data):
            return
        try:
            done += file.write(data[done:])
            if done < len(data):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError:
            end = file.tell()
            if os.fstat(file.fileno()).st_size == end:  # nobody has added something since
                file.truncate(end - done)
            raise


def move_into_place(temporary: Path, path: Path) -> None:
    """Rename a finished file or folder on the same file system to its real name.

    Raises:
        OutputError: If the folder can't be written.
    """
    with reporting(path):
        if path.is_dir():
            # A folder can't take another's place: the old one goes where temporary files do.
            path.replace(replaced_name(temporary))
        temporary.replace(path)


def replaced_name(temporary: Path) -> Path:
    """Where a folder goes that ``temporary`` takes the place of."""
    return temporary.with_name(f"{temporary.name}.replaced")


def _umask() -> int:
    # mkstemp makes private files; an artifact has the mode any other new file would have.
    mask = os.umask(0)
    os.umask(mask)
    return mask
