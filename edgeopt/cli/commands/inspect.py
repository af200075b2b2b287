"""``edgeopt inspect``."""

from __future__ import annotations

import click

from edgeopt.cli.command import command
from edgeopt.cli.options import common_options
from edgeopt.cli.terminal import Terminal

EXAMPLES = (
    "edgeopt inspect out/model.int8.onnx",
    "edgeopt inspect model.onnx -v",
    "edgeopt inspect out/model.int8.onnx --json",
)


@command("inspect", examples=EXAMPLES)
@click.argument("file", type=click.Path())
@common_options
def inspect(terminal: Terminal, file: str) -> None:
    """Show what is inside a model: layers, scales, evidence.

    FILE is an artifact, or any .onnx file. The scales are read from the file itself and compared
    with its manifest, if there is one. Long tables are cut; -v and --json have all of them.
    """
    from edgeopt.pipeline.inspect import inspect as run

    found = run(file)
    from edgeopt.cli.views.inspection import draw_inspection

    terminal.show(found, lambda: draw_inspection(found, everything=terminal.verbose))
    terminal.warn(*found.warnings)
