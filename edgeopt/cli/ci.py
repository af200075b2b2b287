"""What CI reads of a command's result: ``--summary``, ``--junit`` and ``--annotations``."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click

from edgeopt.cli.command import option
from edgeopt.cli.terminal import complain
from edgeopt.core.errors import OutputError
from edgeopt.core.files import append, write_bytes
from edgeopt.core.refusals import reporting

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True)
class Reporting:
    """Where a result goes besides the terminal.

    Args:
        summary: A Markdown file that it is added to.
        junit: A file of JUnit's XML.
        annotations: ``github``, ``none``, or ``auto``.
    """

    summary: Path | None
    junit: Path | None
    annotations: str

    def write(self, markdown: Callable[[], str], xml: Callable[[], bytes]) -> None:
        """Write the files, before the result ends the command.

        Raises:
            OutputError: If one can't be written.
        """
        if self.summary is not None:
            text = markdown()
            with reporting(self.summary, "choose another file"):
                append(self.summary, text.encode())
        if self.junit is not None:
            write_bytes(self.junit, xml())

    def annotate(self, command: Callable[[], str]) -> None:
        """Give the run an annotation, where that is asked for or GitHub Actions runs."""
        here = os.environ.get("GITHUB_ACTIONS") == "true"
        if self.annotations == "github" or (self.annotations == "auto" and here):
            complain(command())


def take_reporting(options: dict[str, Any]) -> Reporting:
    """Take the options out of ``options``.

    Raises:
        OutputError: If a file can't be written: told before anything is done for it.
    """
    taken = Reporting(**{name: options.pop(name) for name in ("summary", "junit", "annotations")})
    for path, name in ((taken.summary, "--summary"), (taken.junit, "--junit")):
        if path is not None and (path.is_dir() or not path.parent.is_dir()):
            what = "is a folder" if path.is_dir() else f"there is no folder {path.parent}"
            raise OutputError(
                f"{name} {path}: {what}", hint="name a file in a folder that is there"
            )
    return taken


def ci_options(function: F) -> F:
    """The options that :func:`take_reporting` takes."""
    for decorate in reversed(_OPTIONS):
        function = decorate(function)
    return function


_OPTIONS: tuple[Callable[[Any], Any], ...] = (
    option(
        "--summary",
        type=click.Path(path_type=Path),
        metavar="FILE.md",
        help="Add the result to a Markdown file, such as $GITHUB_STEP_SUMMARY.",
    ),
    option(
        "--junit",
        type=click.Path(path_type=Path),
        metavar="FILE.xml",
        help="Write the checks as JUnit's XML.",
    ),
    option(
        "--annotations",
        type=click.Choice(["auto", "github", "none"]),
        default="auto",
        help="Annotate the run with the verdict, by a workflow command on standard error: for "
        "GitHub Actions, or never; auto (where GITHUB_ACTIONS is set) if not given.",
    ),
)
