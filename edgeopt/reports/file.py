"""Writing a page, and knowing it again.

The last line of a page is a comment with the digest of all before it. A page whose digest matches
was written by EdgeOpt and not changed since: it may be replaced.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from edgeopt.core.errors import OutputError
from edgeopt.core.files import write_bytes

_MARK = b"<!-- edgeopt sha256="
_END = b" -->\n"


def check_page(path: str | Path, *, force: bool) -> None:
    """Refuse early what :func:`write_page` would refuse.

    Raises:
        OutputError: If the folder isn't there, or a file of that name is there that isn't a page
            of ours as we wrote it, and not ``force``.
    """
    path = Path(path)
    if not path.parent.is_dir():
        raise OutputError(f"{path}: there is no folder {path.parent}", hint="make it first")
    if path.is_dir():
        raise OutputError(f"{path}: is a folder", hint="name a file, such as diagnosis.html")
    if path.exists() and not force and not is_ours(path):
        raise OutputError(
            f"{path}: is there already and was not written by EdgeOpt, or was changed since",
            hint="choose another name, or replace it with --force",
        )


def is_ours(path: Path) -> bool:
    """Whether a file is a page that :func:`write_page` wrote, byte for byte."""
    try:
        body, mark, end = path.read_bytes().rpartition(_MARK)
    except OSError:
        return False
    return bool(mark) and end == hashlib.sha256(body).hexdigest().encode() + _END


def write_page(path: str | Path, html: str, *, force: bool = False) -> None:
    """Write a page under a temporary name, then rename it into place.

    Args:
        path: Where it goes.
        html: The page.
        force: Replace a file that isn't ours.

    Raises:
        OutputError: If it can't be written, or would replace something else.
    """
    check_page(path, force=force)
    body = html.encode() + b"\n"
    digest = hashlib.sha256(body).hexdigest().encode()
    write_bytes(Path(path), body + _MARK + digest + _END)
