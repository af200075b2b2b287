"""Reading a bundle on the device: what is to be measured, and whether all of it arrived."""

from __future__ import annotations

import hashlib
import json
import os
from typing import Any, Dict

from .failure import Failure

BUNDLE = "bundle.json"
SCHEMA = "edgeopt.bundle/1"
_CHUNK = 1 << 20


def read_bundle(folder: str) -> Dict[str, Any]:
    """What ``bundle.json`` in ``folder`` holds.

    Raises:
        Failure: If it isn't there, is of another version, or a file of the bundle was changed.
    """
    try:
        with open(os.path.join(folder, BUNDLE), encoding="utf-8") as file:
            bundle: Dict[str, Any] = json.load(file)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error  # an OSError's own has the path again
        told = "{} can't be read: {}: copy the whole folder again"
        raise Failure("bundle", told.format(BUNDLE, reason)) from error
    if bundle.get("schema") != SCHEMA:
        told = "{} is {!r}, and this program reads {!r}"
        raise Failure("bundle", told.format(BUNDLE, bundle.get("schema"), SCHEMA))
    check_files(folder, bundle["files"])
    return bundle


def check_files(folder: str, digests: Dict[str, str]) -> None:
    """Look whether all files arrived whole.

    Args:
        folder: Where they are.
        digests: Of each, by its name there.

    Raises:
        Failure: If one isn't there, or was changed.
    """
    for name, digest in digests.items():
        _check(os.path.join(folder, name), name, digest)


def _check(path: str, name: str, digest: str) -> None:
    if not os.path.isfile(path):
        raise Failure("bundle", "{} is missing: copy the whole folder again".format(name))
    if sha256(path) != digest:
        told = "{} is not what was bundled: copy it again, it may have been cut off"
        raise Failure("bundle", told.format(name))


def sha256(path: str) -> str:
    """A file's digest, in hex."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        for chunk in iter(lambda: file.read(_CHUNK), b""):
            digest.update(chunk)
    return digest.hexdigest()
