"""``edgeopt inspect``."""

from __future__ import annotations

import click

from edgeopt.cli.command import command, option
from edgeopt.cli.options import common_options
from edgeopt.cli.terminal import Terminal
from edgeopt.core.errors import UsageError

EXAMPLES = (
    "edgeopt inspect out/model.int8.onnx",
    "edgeopt inspect model.onnx -v",
    "edgeopt inspect out/model.int8.tflite --json",
    "edgeopt inspect out/model.int8.rtx-4090.engine",
    "edgeopt inspect model.onnx --for tflite",
)


@command("inspect", examples=EXAMPLES)
@click.argument("file", type=click.Path())
@option(
    "--for",
    "fmt",
    type=click.Choice(["tflite", "tensorrt"]),
    help="Show instead which operators of a model this format can express, which not, and why; "
    "FILE is then what convert takes.",
)
@option(
    "--input",
    multiple=True,
    metavar="SPEC",
    help="With --for: an input that the file can't tell, as in `edgeopt convert`.",
)
@common_options
def inspect(terminal: Terminal, file: str, fmt: str | None, input: tuple[str, ...]) -> None:
    """Show what is inside a model: layers, scales, evidence.

    FILE is an artifact, or any .onnx or .tflite file; of an .engine is shown what its manifest
    knows. The scales are read from the file itself and
    compared with its manifest, if there is one. Long tables are cut; -v and --json have all of
    them.
    """
    if fmt is not None:
        _cover(terminal, file, fmt, input)
        return
    if input:
        raise UsageError("--input goes with --for", hint="add --for tflite, or leave it out")
    from edgeopt.pipeline.inspect import inspect as run

    found = run(file)
    from edgeopt.cli.views.inspection import draw_inspection

    terminal.show(found, lambda r: draw_inspection(r, everything=terminal.verbose))
    terminal.warn(*found.warnings)


def _cover(terminal: Terminal, file: str, fmt: str, input: tuple[str, ...]) -> None:
    with terminal.progress("reading the model") as progress:
        from edgeopt.pipeline.coverage import coverage

        found = coverage(file, fmt, input=input, progress=progress)
    from edgeopt.cli.views.coverage import draw_coverage

    terminal.show(found, draw_coverage)
