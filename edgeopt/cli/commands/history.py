"""``edgeopt history``."""

from __future__ import annotations

from pathlib import Path

import click

from edgeopt.cli.command import command
from edgeopt.cli.options import common_options
from edgeopt.cli.terminal import Terminal

EXAMPLES = (
    "edgeopt compare @main out/model.int8.onnx --history gate.jsonl",
    "edgeopt history gate.jsonl",
    "edgeopt history gate.jsonl --json",
)


@command("history", examples=EXAMPLES)
@click.argument("file", type=click.Path(path_type=Path), metavar="FILE.jsonl")
@common_options
def history(terminal: Terminal, file: Path) -> None:
    """Show past comparisons and what they add up to.

    FILE.jsonl is what `edgeopt compare --history` adds to. Each candidate is put beside the first
    baseline of its chain by the ratios that were measured on the way; steps that stayed are named,
    also where each was within its budget.
    """
    from edgeopt.cli.views.history import draw_history
    from edgeopt.pipeline.history import show

    found = show(file)
    terminal.show(found, draw_history)
