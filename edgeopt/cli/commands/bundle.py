"""``edgeopt bundle``."""

from __future__ import annotations

from typing import Any

import click

from edgeopt.cli.command import command, option
from edgeopt.cli.options import code_option, common_options, preprocessing_options, timing_options
from edgeopt.cli.preprocessing import take_contract
from edgeopt.cli.terminal import Terminal
from edgeopt.cli.values import comma_list, files

EXAMPLES = (
    "edgeopt bundle out/model.int8.tflite --evaluation test.npz -o bundle/",
    "edgeopt bundle out/model.fp32.onnx out/model.int8.onnx --evaluation test/ --samples 500",
    "edgeopt bundle out/model.int8.arm64.onnx --target arm64 --threads 4 -o bundle/",
)


@command("bundle", examples=EXAMPLES)
@click.argument("artifacts", nargs=-1, required=True, type=click.Path())
@option(
    "-o",
    "--output",
    type=click.Path(),
    default="bundle",
    metavar="DIR",
    help="The folder that is made; bundle/ if not given.",
)
@option(
    "--evaluation",
    type=click.Path(),
    metavar="DATA",
    help="Samples to run on the device: a .npz, a folder of images, or module:function; their "
    "labels give accuracy. Seeded random numbers if not given.",
)
@option(
    "--samples",
    type=click.IntRange(1),
    default=100,
    metavar="N",
    help="How many of them at most, evenly spread; 100 if not given.",
)
@option(
    "--accuracy",
    multiple=True,
    default=["top1,top5"],
    callback=comma_list,
    metavar="METRICS",
    help="top1, top5 or any topK; top1,top5 if not given.",
)
@option(
    "--target",
    metavar="TARGET",
    help="The device: a profile's name or a TOML file. Its name is the results'; device if not "
    "given.",
)
@option("--force", is_flag=True, help="Replace files that no bundle of ours put there.")
@code_option
@timing_options
@preprocessing_options
@common_options
def bundle(terminal: Terminal, artifacts: tuple[str, ...], **options: Any) -> None:
    """Make a folder that measures artifacts on a device by itself.

    Copy it there and run `python3 run.pyz`: Python 3.8 or newer, numpy and the artifacts' runtime
    are all that it needs. It times them as `edgeopt benchmark` does here, compares their outputs
    with those they gave here, and writes a result for `edgeopt benchmark --import`.
    """
    contract = take_contract(options)
    with terminal.progress("reading") as progress:
        from edgeopt.pipeline.bundle import bundle as run

        result = run(files(artifacts), preprocess=contract, progress=progress, **options)
    from edgeopt.cli.views.bundle import draw_bundle

    terminal.show(result, draw_bundle)
