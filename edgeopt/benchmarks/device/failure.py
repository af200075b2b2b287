"""What goes wrong with a model on a device, as data the host can put into a sentence."""

from __future__ import annotations

from contextlib import contextmanager
from typing import Any, Dict, Iterator, Optional


class Failure(Exception):  # noqa: N818 - it is an answer to the host, not a bug of this program
    """A measurement that can't be made.

    Args:
        stage: Where: ``request``, ``runtime``, ``inputs``, ``load`` or ``run``.
        reason: Why, in the runtime's own words.
        artifact: Which of the request's artifacts it was, counted from 0; None if none was.
    """

    def __init__(self, stage: str, reason: str, artifact: Optional[int] = None) -> None:
        super().__init__(reason)
        self.stage = stage
        self.reason = reason
        self.artifact = artifact

    def as_json(self) -> Dict[str, Any]:
        """The answer that takes the result's place."""
        return {"failure": {"stage": self.stage, "reason": self.reason, "artifact": self.artifact}}


@contextmanager
def during(stage: str, artifact: Optional[int] = None) -> Iterator[None]:
    """Turn whatever a foreign library raises at this stage into a :class:`Failure`."""
    try:
        yield
    except Failure:
        raise
    except Exception as error:  # a runtime raises what it likes: all of it must be told, not lost
        raise Failure(stage, _reason(error), artifact) from error


def _reason(error: BaseException) -> str:
    told = "{}: {}".format(type(error).__name__, error)
    # What C code raises over another error says nothing: a runtime built for another numpy.
    cause = error.__cause__ if isinstance(error, SystemError) else None
    return told if cause is None else "{} ({})".format(_reason(cause), told)
