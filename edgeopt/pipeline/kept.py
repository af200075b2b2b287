"""The layers that a user keeps from 8 bits, found in the float graph before any long step."""

from __future__ import annotations

from pathlib import Path

from edgeopt.converters.layers import match_layers
from edgeopt.converters.writer import Kept
from edgeopt.core.errors import UsageError
from edgeopt.core.ir import ir
from edgeopt.pipeline.options import ConvertOptions


def kept_layers(graph: Path, options: ConvertOptions) -> Kept:
    """Resolve ``--keep-float`` and ``--keep-16bit``.

    Args:
        graph: The float graph's file.
        options: Hold names and patterns.

    Raises:
        UsageError: If one matches no layer, or a layer is named in both.
    """
    if not options.keep_float and not options.keep_16bit:
        return Kept()
    nodes = ir.load(graph).graph
    floating = match_layers(nodes, options.keep_float, "--keep-float")
    wide = match_layers(nodes, options.keep_16bit, "--keep-16bit")
    if both := floating & wide:
        raise UsageError(
            f"--keep-float and --keep-16bit both name {min(both)!r}", hint="name it in one of them"
        )
    return Kept(floating, wide)
