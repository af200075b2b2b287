"""``edgeopt calibrate``."""

from __future__ import annotations

from typing import Any

import click

from edgeopt.cli.command import command, option
from edgeopt.cli.options import common_options, model_options, preprocessing_options
from edgeopt.cli.preprocessing import take_contract
from edgeopt.cli.terminal import Terminal
from edgeopt.cli.values import completed
from edgeopt.core.effort import Effort

EXAMPLES = (
    "edgeopt calibrate model.pt2 --calibration calibration.npz",
    "edgeopt calibrate model.onnx --calibration images/ --resize 256 --crop 224 --scale 1/255 \\\n"
    "    --mean 0.485,0.456,0.406 --std 0.229,0.224,0.225 -o model.table.npz",
    "edgeopt calibrate model.onnx --calibration data.npz --shard 1/8 -o part1.table.npz",
    "edgeopt calibrate --merge part1.table.npz part2.table.npz -o model.table.npz",
    "edgeopt convert model.pt2 --precision int8 --table out/model.table.npz",
)


@command("calibrate", examples=EXAMPLES)
@click.argument("files", metavar="MODEL | TABLE TABLE...", nargs=-1, type=click.Path())
@option(
    "--calibration",
    type=click.Path(),
    metavar="DATA",
    help="A .npz with an array for each input, a folder of images, or module:function.",
)
@option(
    "-o",
    "--output",
    type=click.Path(),
    metavar="FILE",
    help="The table: out/<model>.table.npz if not given.",
)
@option(
    "--effort",
    default="default",
    metavar="EFFORT",
    shell_complete=completed(Effort),
    help="What the table is to serve: fast, default, or high (with what the rounding of weights "
    "needs).",
)
@option(
    "--exact",
    is_flag=True,
    help="Count every element, so that extremes are exact; takes several times as long.",
)
@option(
    "--shard",
    metavar="I/N",
    help="Only the I-th of N equal parts of the data: 1/8 is the first of eight.",
)
@option("--merge", is_flag=True, help="Make one table of those named, as of all their samples.")
@model_options
@preprocessing_options
@option("--force", is_flag=True, help="Replace a file that is not a calibration table, too.")
@common_options
def calibrate(
    terminal: Terminal, files: tuple[str, ...], merge: bool, force: bool, **options: Any
) -> None:
    """Observe a model's activations on data, once for every artifact.

    MODEL is what `edgeopt convert` takes. The table holds a histogram of every activation that
    needs a range: convert chooses ranges from it for any precision, method and target without
    running the model again. A run that was interrupted goes on where it was.
    """
    if merge:
        _refuse_beside_merge(options)
        from edgeopt.pipeline.calibrate import merge as join

        result = join(files, output=options["output"], force=force)
    else:
        contract = take_contract(options)
        (model,) = _one(files)
        with terminal.progress("reading the model") as progress:
            from edgeopt.pipeline.calibrate import calibrate as run

            result = run(
                model, options.pop("calibration"), preprocess=contract, force=force,
                progress=progress, **options,
            )  # fmt: skip
    from edgeopt.cli.views.calibration import draw_calibration

    terminal.show(result, draw_calibration)
    terminal.warn(*result.warnings)


def _one(files: tuple[str, ...]) -> tuple[str, ...]:
    context = click.get_current_context()
    if not files:
        raise click.UsageError("Missing argument 'MODEL'.", context)
    if len(files) > 1:
        raise click.UsageError(
            f"one model at a time: got {', '.join(files)}; tables are joined with --merge", context
        )
    if context.params.get("calibration") is None:
        raise click.UsageError("Missing option '--calibration'.", context)
    return files


def _refuse_beside_merge(options: dict[str, Any]) -> None:
    context = click.get_current_context()
    beside = [n for n in ("calibration", "shard", "exact") if options.get(n)]
    if beside:
        raise click.UsageError(f"--merge and --{beside[0]} don't go together", context)
    if options["output"] is None:
        raise click.UsageError("--merge needs -o, the new table's file", context)
