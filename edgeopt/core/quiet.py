"""Catching what other packages print, to be shown only when asked for or when they fail.

What was caught goes to the logger ``edgeopt`` at DEBUG; ``edgeopt -v`` shows it. Where another
package's exception ends the block, its last lines are noted on that exception: the command line
shows them above the error, and Python in its traceback.
"""

from __future__ import annotations

import contextlib
import io
import logging
import os
import sys
import tempfile
import threading
import warnings
from collections.abc import Iterator

from edgeopt.core.errors import EdgeOptError

_LAST_LINES = 12
"""Shown of what a package said before it failed."""

_logger = logging.getLogger("edgeopt")
_STANDARD_ERROR = 2
_turn = threading.RLock()
_TALKATIVE = ("torch", "onnxscript", "onnx_ir", "tensorflow", "absl", "tf2onnx", "py.warnings")


@contextlib.contextmanager
def quiet(who: str) -> Iterator[None]:
    """Keep ``who``'s prints, warnings and log lines off the terminal while the block runs."""
    caught = io.StringIO()
    handler = logging.StreamHandler(caught)
    loggers = [logging.getLogger(name) for name in _TALKATIVE]
    saved = [(lg.handlers[:], lg.propagate) for lg in loggers]
    for each in loggers:
        each.handlers, each.propagate = [handler], False
    # PyTorch's loggers have children with handlers of their own, made when it is imported.
    children = _silenced_children()
    failure: BaseException | None = None
    try:
        with (
            contextlib.redirect_stdout(caught),
            contextlib.redirect_stderr(caught),
            warnings.catch_warnings(),
        ):
            warnings.simplefilter("ignore")
            yield
    except BaseException as error:
        failure = error
        raise
    finally:
        for each, (handlers, propagate) in zip(loggers, saved, strict=True):
            each.handlers, each.propagate = handlers, propagate
        for child, handlers in children:
            child.handlers = handlers
        _tell(who, caught.getvalue(), failure)
        del failure  # it holds this frame


def _tell(who: str, text: str, failure: BaseException | None) -> None:
    text = text.strip()
    if not text:
        return
    if _logger.isEnabledFor(logging.DEBUG):
        _logger.debug("%s said:\n%s", who, text)
        return
    # An error that we raised by ourselves says everything; noise would only hide it.
    foreign = failure.__cause__ if isinstance(failure, EdgeOptError) else failure
    if foreign is not None:
        lines = text.splitlines()
        last = "" if len(lines) <= _LAST_LINES else ", at the end"
        foreign.add_note("\n  ".join([f"{who} said{last}:", *lines[-_LAST_LINES:]]))


def _silenced_children() -> list[tuple[logging.Logger, list[logging.Handler]]]:
    manager = logging.Logger.manager
    found = [
        logger
        for name, logger in manager.loggerDict.items()
        if name.startswith("torch.") and isinstance(logger, logging.Logger) and logger.handlers
    ]
    saved = [(logger, logger.handlers[:]) for logger in found]
    for logger in found:
        logger.handlers = []
    return saved


@contextlib.contextmanager
def quiet_system(who: str) -> Iterator[None]:
    """Keep what ``who``'s machine code writes to standard error off the terminal.

    That goes past Python, so the whole process's standard error is elsewhere meanwhile: for short
    blocks only, one at a time.
    """
    with _turn, tempfile.TemporaryFile() as caught:
        if sys.stderr is not None:
            sys.stderr.flush()
        try:
            saved = os.dup(_STANDARD_ERROR)
        except OSError:  # there is no standard error: a program without a terminal
            yield
            return
        os.dup2(caught.fileno(), _STANDARD_ERROR)
        failure: BaseException | None = None
        try:
            yield
        except BaseException as error:
            failure = error
            raise
        finally:
            os.dup2(saved, _STANDARD_ERROR)
            os.close(saved)
            caught.seek(0)
            _tell(who, caught.read().decode("utf-8", "replace"), failure)
            del failure  # it holds this frame
