"""Standard output and standard error: results on the one, everything else on the other."""

from __future__ import annotations

import contextlib
import errno
import io
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import FrameType
from typing import TypeVar

import click
from click.exceptions import Exit

from edgeopt.core.errors import EdgeOptError, OutputError
from edgeopt.core.printable import shown, shown_json, shown_lines, shown_record
from edgeopt.core.progress import Progress, silent

R = TypeVar("R")


class StdoutClosed(Exception):  # noqa: N818 - not an error: the reader has had enough
    """The reader of standard output went away, as ``head`` does; the code is SIGPIPE's."""

    exit_code = 141


class Terminated(BaseException):
    """SIGTERM: raised, so that temporary files go; the code is SIGTERM's."""

    exit_code = 143


@dataclass(frozen=True)
class Terminal:
    """How one command talks.

    Args:
        json: The result is JSON; nothing is drawn.
        quiet: No progress, no warnings.
        verbose: Also what other packages say.
    """

    json: bool = False
    quiet: bool = False
    verbose: bool = False

    @contextlib.contextmanager
    def progress(self, first: str) -> Iterator[Progress]:
        """What a long step reports to; drawn only where someone is watching.

        Args:
            first: The step that is shown before any is reported.
        """
        if self.json or self.quiet or self.verbose or not sys.stderr.isatty():
            yield silent
            return
        from edgeopt.cli.progress import StepDisplay

        with StepDisplay(sys.stderr) as display:
            display(first, 0, None)
            yield display

    def warn(self, *texts: str) -> None:
        """Say what the user should know, each once."""
        for text in () if self.quiet else dict.fromkeys(texts):
            complain(f"Warning: {text}")

    def show(self, result: R, draw: Callable[[R], str]) -> None:
        """Write a result: as JSON if that was asked for, else as ``draw`` has it.

        Args:
            result: A record, or several.
            draw: Gets it with every text in it as one line that a terminal doesn't obey.
        """
        if not self.json:
            write(draw(shown_record(result)))
            return
        from edgeopt.core.record import to_json

        write(shown_json(to_json(result)))

    @contextlib.contextmanager
    def judging(self) -> Iterator[None]:
        """For what refuses a result that was shown: JSON that was written stays one document."""
        try:
            yield
        except EdgeOptError as error:
            if not self.json:
                raise
            complain(f"Error: {error}")
            raise Exit(error.exit_code) from error


def write(text: str | bytes) -> None:
    """Write to standard output; what would steer a terminal is shown instead.

    Args:
        text: Lines, with colours on a terminal; or JSON, which has none.

    Raises:
        StdoutClosed: If nobody reads it any more.
        OutputError: If it can't be written.
    """
    if isinstance(text, str):
        text = shown_lines(text, styled=sys.stdout.isatty())
    try:
        click.echo(text, nl=False)
        sys.stdout.flush()
    except OSError as error:
        # Closed so that the interpreter doesn't fail on it again when it ends.
        _discard_stdout()
        # Windows calls a pipe without a reader an invalid argument.
        if isinstance(error, BrokenPipeError) or error.errno == errno.EINVAL:
            raise StdoutClosed from error
        raise OutputError(
            f"standard output can't be written: {error.strerror}",
            hint="send it elsewhere, or free some space",
        ) from error


def complain(text: str) -> None:
    """Write one line to standard error; if nobody reads it, there is nobody to tell."""
    _say(shown(text))


def complain_at_length(text: str) -> None:
    """Write lines to standard error, such as a traceback."""
    _say(shown_lines(text))


def _say(text: str) -> None:
    with contextlib.suppress(OSError):
        click.echo(text, err=True)


class _Lines(logging.Formatter):
    """What is logged, without what would steer a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        return shown_lines(super().format(record))


@contextlib.contextmanager
def prepared() -> Iterator[None]:
    """For the time of a command: no output fails on a character, no warning of others is shown."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a Windows code page lacks many characters
    logging.captureWarnings(True)
    # As many as there are cores would make what a manifest tells of a Keras model depend on them.
    os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
    try:
        with _terminating():
            yield
    finally:
        logging.captureWarnings(False)


@contextlib.contextmanager
def explaining() -> Iterator[None]:
    """Show what other packages say (``-v``)."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Lines("%(message)s"))
    loggers = [logging.getLogger(name) for name in ("edgeopt", "py.warnings")]
    saved = [logger.level for logger in loggers]
    for logger in loggers:
        logger.addHandler(handler)
        logger.setLevel(logging.DEBUG)
    try:
        yield
    finally:
        for logger, level in zip(loggers, saved, strict=True):
            logger.removeHandler(handler)
            logger.setLevel(level)


@contextlib.contextmanager
def _terminating() -> Iterator[None]:
    # Signals can be set in the main thread only, and a handler that is there already stays.
    ours = threading.current_thread() is threading.main_thread()
    if not ours or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return
    signal.signal(signal.SIGTERM, _terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _terminate(_number: int, _frame: FrameType | None) -> None:
    raise Terminated


def _discard_stdout() -> None:
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
