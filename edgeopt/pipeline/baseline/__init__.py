"""``edgeopt baseline``: artifacts that others are compared with, under a name.

A store is a folder or any URL that fsspec knows. It holds files by their digest, and names that
point at them::

    objects/<sha256>     a file of an artifact: the artifact, its external data, its manifest
    names/<name>.json    a `Baseline`, written last

docs/decisions/0031 tells why.
"""

from edgeopt.pipeline.baseline.fetching import fetched, is_named
from edgeopt.pipeline.baseline.listing import list, show
from edgeopt.pipeline.baseline.opening import DEFAULT_STORE
from edgeopt.pipeline.baseline.record import Baseline, Change, Pruned, Saved, StoredFile
from edgeopt.pipeline.baseline.removing import prune, remove
from edgeopt.pipeline.baseline.saving import save

__all__ = [
    "save",
    "list",
    "show",
    "remove",
    "prune",
    "fetched",
    "is_named",
    "Baseline",
    "Change",
    "Saved",
    "Pruned",
    "StoredFile",
    "DEFAULT_STORE",
]
