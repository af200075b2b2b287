"""The one place where errors become a line for the user and an exit code.

====  ==========================================================================
0     done (a warning is still 0)
1     a floor or a budget was not met
2     wrong use, or bad input
3     this machine can't measure what was asked, or its installation is broken
70    a bug of ours, with its traceback
130   interrupted
====  ==========================================================================
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import traceback
from collections.abc import Sequence

import click
from click.exceptions import Exit

from edgeopt.cli.application import PROGRAM, application
from edgeopt.cli.terminal import (
    StdoutClosed,
    Terminated,
    complain,
    complain_at_length,
    prepared,
    write,
)
from edgeopt.cli.wrong_use import as_usage_error
from edgeopt.core.errors import EdgeOptError, UsageError
from edgeopt.core.refusals import surroundings

COMPLETE_VARIABLE = f"_{PROGRAM.upper()}_COMPLETE"
BUG = 70
INTERRUPTED = 130


def main(args: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        args: The arguments; those of the process if None.

    Returns:
        The exit code.
    """
    arguments = sys.argv[1:] if args is None else list(args)
    with prepared():
        try:
            return _run(arguments)
        except BaseException as error:  # noqa: BLE001 - the boundary: every error ends here
            return _answer(_stopped(error) or error, as_json="--json" in arguments)


def _run(arguments: list[str]) -> int:
    if instruction := os.environ.get(COMPLETE_VARIABLE):
        from click.shell_completion import shell_complete

        return shell_complete(application, {}, PROGRAM, COMPLETE_VARIABLE, instruction)
    for word in arguments:
        _check_text(word)
    # Not click's own `main`, which has answers of its own for Ctrl-C, EOFError and closed pipes.
    with application.make_context(PROGRAM, arguments) as context:
        return application.invoke(context) or 0


def _check_text(word: str) -> None:
    try:
        word.encode()
    except UnicodeEncodeError:
        raise UsageError(
            f"{word}: not a name in UTF-8, and the runtimes open no other", hint="rename it"
        ) from None


def _stopped(error: BaseException) -> BaseException | None:
    """The interruption that an error came from, if one did.

    A compiled module that is interrupted while it is imported turns it into an ImportError.
    """
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen:
        if isinstance(link, (KeyboardInterrupt, Terminated)):
            return link
        seen.add(id(link))
        link = link.__cause__ or link.__context__
    return None


def _answer(error: BaseException, *, as_json: bool) -> int:
    """Say what happened, and choose the exit code."""
    if isinstance(error, Exit):
        return error.exit_code
    if isinstance(error, (StdoutClosed, Terminated)):
        return error.exit_code
    if isinstance(error, (KeyboardInterrupt, click.Abort)):
        complain("Interrupted")
        return _told("KeyboardInterrupt", "Interrupted", "", INTERRUPTED, as_json=as_json)
    if known := _as_ours(error):
        for words in _last_words(error):
            complain_at_length(words)
        complain(f"Error: {known}")
        kind = type(known).__name__
        return _told(kind, known.message, known.hint, known.exit_code, as_json=as_json)
    complain_at_length("".join(traceback.format_exception(error)).rstrip())
    hint = "please report it with the lines above and what `edgeopt doctor` prints"
    complain(f"Error: this is a bug in EdgeOpt: {hint}")
    return _told(type(error).__name__, str(error), hint, BUG, as_json=as_json)


def _last_words(error: BaseException) -> list[str]:
    """What other packages said before one of them failed, as `edgeopt.core.quiet` notes it."""
    found: list[str] = []
    link: BaseException | None = error
    while link is not None:
        found = [*getattr(link, "__notes__", ()), *found]
        link = link.__cause__
    return found


def _as_ours(error: BaseException) -> EdgeOptError | None:
    if isinstance(error, EdgeOptError):
        return error
    if isinstance(error, click.ClickException):
        return as_usage_error(error)
    if isinstance(error, OSError):
        return surroundings(error)
    if isinstance(error, SystemExit):
        return UsageError(
            f"a file or function that was named called sys.exit({error.code!r})",
            hint="put what it does when run as a script under `if __name__ == '__main__':`",
        )
    return None


def _told(kind: str, message: str, hint: str, code: int, *, as_json: bool) -> int:
    if as_json:
        told = {"type": kind, "message": message, "hint": hint, "exit_code": code}
        with contextlib.suppress(EdgeOptError, StdoutClosed):  # the line on stderr is said already
            write(json.dumps({"error": told}, indent=2).encode() + b"\n")
    return code
