"""Reading what a machine tells about itself: a value, or the reason why there is none.

An absent sensor is never 0. Files are read below a root, so that a test can put a made-up machine
in its place.
"""

from __future__ import annotations

import os
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


def numbered(root: str, folder: str, prefix: str) -> List[str]:
    """The entries of ``folder`` named ``prefix`` and a number, in the order of the numbers.

    Raises:
        Absent: If there is none.
    """
    try:
        entries = os.listdir(os.path.join(root, *folder.split("/")))
    except OSError as error:
        raise Absent("/{}: {}".format(folder, error.strerror or error)) from error
    found = [name for name in entries if name[len(prefix) :].isdigit() and name.startswith(prefix)]
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
