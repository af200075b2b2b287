"""``edgeopt validate``."""

from __future__ import annotations

import click

from edgeopt.cli.group import LazyGroup, Listed

COMMANDS = {
    "data": Listed(
        "edgeopt.cli.commands.validate_data:data",
        "Check what data holds, and whether it fits a model.",
    ),
    "model": Listed(
        "edgeopt.cli.commands.validate_model:model",
        "Check that an artifact loads, runs, and gives the answers it should.",
    ),
}

EXAMPLES = (
    "edgeopt validate data calibration.npz --model model.pt2 --evaluation test.npz",
    "edgeopt validate model out/model.int8.onnx --reference out/model.fp32.onnx",
)


@click.group("validate", cls=LazyGroup, listed=COMMANDS, examples=EXAMPLES, no_args_is_help=False)
def validate() -> None:
    """Check data, or an artifact, before anything is built on it.

    Each check passes, warns or fails. The exit code is 1 if one fails, 2 for bad input.
    """
