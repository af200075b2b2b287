"""Loading a model to see whether that can be done at all, and what its runtime makes of it."""

from __future__ import annotations

from typing import Any, Dict

from .delegation import delegation
from .failure import Failure, during
from .request import Request
from .runtimes import Runtime


def probe(request: Request) -> Dict[str, Any]:
    """Load the only artifact, a ``.tflite``.

    LiteRT ends the process on some files, which is the reason why it is done in one of its own.

    Returns:
        The runtime, and the ``delegation``.

    Raises:
        Failure: If it can't be loaded.
    """
    if len(request.subjects) != 1:
        raise Failure("request", "one artifact is probed, not {}".format(len(request.subjects)))
    (subject,) = request.subjects
    runtime = Runtime(subject.runtime)
    with during("load", 0):
        session = runtime.open(subject.path, request.threads)
        found = delegation(getattr(session, "interpreter"))  # noqa: B009 - LiteRT's sessions only
    return {"runtime": runtime.as_json(), "delegation": found}
