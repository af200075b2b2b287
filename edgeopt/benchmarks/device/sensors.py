"""Reading what a machine tells about itself: a value, or the reason why there is none.

An absent sensor is never 0. Files are read below a root, so that a test can put a made-up machine
in its place.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import Any, Callable, Dict, List


class Absent(Exception):  # noqa: N818 - the ordinary state of many sensors
    """A sensor that isn't there, and why."""


def reading(read: Callable[[], Any]) -> Dict[str, Any]:
    """``{"value": ..., "absent": None}``, or ``{"value": None, "absent": reason}``."""
    try:
        return {"value": read(), "absent": None}
    except Absent as absent:
        return {"value": None, "absent": str(absent)}
    except Exception as error:  # noqa: BLE001 - no sensor's whim may cost a measurement
        return {"value": None, "absent": "{}: {}".format(type(error).__name__, error)}


def read_text(root: str, path: str) -> str:
    """The text of the file ``path`` (relative, with ``/``) below ``root``.

    Raises:
        Absent: If it can't be read.
    """
    try:
        with open(os.path.join(root, *path.split("/")), encoding="utf-8", errors="replace") as file:
            return file.read().strip("\0\n ")
    except OSError as error:
        raise Absent("/{}: {}".format(path, error.strerror or error)) from error


def entries(root: str, folder: str) -> List[str]:
    """The names in ``folder``.

    Raises:
        Absent: If it can't be read.
    """
    try:
        return os.listdir(os.path.join(root, *folder.split("/")))
    except OSError as error:
        raise Absent("/{}: {}".format(folder, error.strerror or error)) from error


def numbered(root: str, folder: str, prefix: str) -> List[str]:
    """The entries of ``folder`` named ``prefix`` and a number, in the order of the numbers.

    Raises:
        Absent: If there is none.
    """
    names = entries(root, folder)
    found = [name for name in names if name[len(prefix) :].isdigit() and name.startswith(prefix)]
    if not found:
        raise Absent("/{} has no {}*".format(folder, prefix))
    return sorted(found, key=lambda name: int(name[len(prefix) :]))


def field(text: str, name: str) -> str:
    """The value of the first ``name: value`` line.

    Raises:
        Absent: If no line has that name.
    """
    for line in text.splitlines():
        key, colon, value = line.partition(":")
        if colon and key.strip() == name:
            return value.strip()
    raise Absent("there is no field {!r}".format(name))


def tool(root: str, name: str, *arguments: str) -> str:
    """What a vendor's tool says; below another root there is none.

    Raises:
        Absent: If it isn't there, fails or hangs.
    """
    path = shutil.which(name) if root == "/" else None
    if path is None:
        raise Absent("there is no {}".format(name))
    try:
        told = subprocess.check_output(  # noqa: S603 - a tool named in this package
            [path, *arguments], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=5
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise Absent("{}: {}".format(name, error)) from error
    return told.decode("utf-8", "replace").strip()
