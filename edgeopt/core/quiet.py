"""Catching what other packages print, to be shown only when asked for or when they fail.

What was caught goes to the logger ``edgeopt`` at DEBUG; ``edgeopt -v`` shows it.
"""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator

_logger = logging.getLogger("edgeopt")


@contextlib.contextmanager
def quiet(who: str) -> Iterator[None]:
    """Keep ``who``'s prints, warnings and log lines off the terminal while the block runs."""
    caught = io.StringIO()
    handler = logging.StreamHandler(caught)
    loggers = [
        logging.getLogger(name) for name in ("torch", "onnxscript", "onnx_ir", "py.warnings")
    ]
    saved = [(lg.handlers[:], lg.propagate) for lg in loggers]
    for each in loggers:
        each.handlers, each.propagate = [handler], False
    # PyTorch's loggers have children with handlers of their own, made when it is imported.
    children = _silenced_children()
    try:
        with (
            contextlib.redirect_stdout(caught),
            contextlib.redirect_stderr(caught),
            warnings.catch_warnings(),
        ):
            warnings.simplefilter("ignore")
            yield
    finally:
        for each, (handlers, propagate) in zip(loggers, saved, strict=True):
            each.handlers, each.propagate = handlers, propagate
        for child, handlers in children:
            child.handlers = handlers
        if text := caught.getvalue().strip():
            _logger.debug("%s said:\n%s", who, text)


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
