"""Damage inside PyTorch's archives, which PyTorch itself doesn't look for."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path

from edgeopt.core.errors import ModelError

_CHUNK = 1 << 20


def check_members(path: Path) -> None:
    """Compare each member of a ``.pt2``, ``.pt`` or ``.pth`` with its checksum.

    What isn't a zip archive is left to its reader. A checksum of 0 was left out, as
    ``torch.serialization.set_crc32_options(False)`` does.

    Raises:
        ModelError: If a member is not what was written.
    """
    if not zipfile.is_zipfile(path):
        return
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            if member.CRC and not _whole(archive, member):
                raise ModelError(
                    f"{path}: its member {member.filename!r} is damaged: it doesn't have the "
                    "checksum that it was written with",
                    hint="fetch it again, or save it again",
                )


def _whole(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bool:
    try:
        with archive.open(member) as stream:
            while stream.read(_CHUNK):
                pass
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError):
        return False
    return True
