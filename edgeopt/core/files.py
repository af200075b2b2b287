"""Writing files so that nothing is ever half-written and nothing the user had is lost."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from edgeopt.core.errors import OutputError

_CHUNK = 1 << 20


def weights_of(path: Path) -> Path:
    """Where the weights of an ONNX file of ours lie that keeps them apart."""
    return path.with_name(f"{path.name}.data")


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
        digest.update(f"{path.relative_to(folder).as_posix()}\0{sha256(path)}\n".encode())
    return digest.hexdigest()


def size_of(path: Path) -> int:
    """A file's size in bytes; a folder's is that of its files."""
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file())


_REFUSALS = {
    errno.ENOSPC: "free some space",
    errno.EDQUOT: "free some space",
    errno.EROFS: "make it writable",
    errno.EACCES: "make it writable",
    errno.EPERM: "make it writable",
    errno.ENOTDIR: "a file has that name",
    errno.EEXIST: "a file has that name",
    errno.ENOENT: "make the folder it is in",
    errno.ENAMETOOLONG: "shorten the name",
    errno.EINVAL: "use a name that this system allows",
}


OTHER = "choose another folder with -o"


@contextmanager
def reporting(path: Path, other: str = OTHER) -> Iterator[None]:
    """Turn an operating system's refusal to write below ``path`` into an :class:`OutputError`.

    Args:
        path: The file or folder that is written.
        other: How the user can choose another place.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in _REFUSALS:
            raise
        raise OutputError(
            f"{path}: cannot write: {error.strerror}", hint=f"{_REFUSALS[error.errno]}, or {other}"
        ) from error


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


@contextmanager
def working_folder(output: Path) -> Iterator[Path]:
    """A hidden folder inside ``output`` for files that aren't finished: a rename finishes one.

    Raises:
        OutputError: If ``output`` can't be written.
    """
    with reporting(output):
        folder = tempfile.TemporaryDirectory(dir=output, prefix=".edgeopt-")
    with folder as name:
        yield Path(name)


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
    with reporting(path, other):
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                yield file
            Path(name).chmod(0o666 & ~_umask())
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise


def move_into_place(temporary: Path, path: Path) -> None:
    """Rename a finished file or folder on the same file system to its real name.

    Raises:
        OutputError: If the folder can't be written.
    """
    with reporting(path):
        if path.is_dir():
            # A folder can't take another's place: the old one goes where temporary files do.
            path.replace(temporary.with_name(f"{temporary.name}.replaced"))
        temporary.replace(path)


def _umask() -> int:
    # mkstemp makes private files; an artifact has the mode any other new file would have.
    mask = os.umask(0)
    os.umask(mask)
    return mask
