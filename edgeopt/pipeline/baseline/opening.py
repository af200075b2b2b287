"""Where baselines are: a folder, or a URL."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlparse
from urllib.request import url2pathname

from edgeopt.pipeline.baseline.folder import FolderStore
from edgeopt.pipeline.baseline.store import Store

DEFAULT_STORE = ".edgeopt/baselines"

_URL = re.compile(r"[a-z][a-z0-9+.-]+(://|::)", re.IGNORECASE)


def open_store(store: str | Path | None) -> Store:
    """The store that is named: a URL, a folder, or the default one.

    Raises:
        UsageError: If nothing knows the URL's protocol, or its package is missing.
        MissingExtraError: If it is a URL and fsspec isn't installed.
    """
    text = DEFAULT_STORE if store is None else str(store)
    if not _URL.match(text):
        return FolderStore(Path(text))
    if urlparse(text).scheme == "file":
        return FolderStore(Path(url2pathname(urlparse(text).path)))
    from edgeopt.pipeline.baseline.remote import open_url

    return open_url(text)
