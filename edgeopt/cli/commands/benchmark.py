"""``edgeopt benchmark``."""

from __future__ import annotations

from typing import Any

import click

from edgeopt.cli.command import command, option
from edgeopt.cli.options import common_options, preprocessing_options
from edgeopt.cli.preprocessing import take_contract
from edgeopt.cli.terminal import Terminal
from edgeopt.cli.values import comma_list, files

TIMING = "Timing"

EXAMPLES = (
    "edgeopt benchmark out/model.int8.onnx",
    "edgeopt benchmark out/model.fp32.onnx out/model.int8.onnx --evaluation test.npz",
    "edgeopt benchmark out/model.int8.onnx out/model.int8.tflite",
    "edgeopt benchmark out/model.*.onnx --evaluation test/ --accuracy top1 --threads 4",
    "edgeopt benchmark out/model.int8.onnx --evaluation test.npz --accuracy metrics.py:iou --json",
)


@command("benchmark", examples=EXAMPLES)
@click.argument("artifacts", nargs=-1, required=True, type=click.Path())
@option(
    "--evaluation",
    type=click.Path(),
    metavar="DATA",
    help="Labelled data for accuracy: a .npz with labels, a folder of images in class sub-folders "
    "or with labels.csv, or module:function. Its first samples are what is timed.",
)
@option(
    "--accuracy",
    multiple=True,
    default=["top1,top5"],
    callback=comma_list,
    metavar="METRICS",
    help="top1, top5, or module:function of (outputs, labels); top1,top5 if not given.",
)
@option("--no-save", "save", is_flag=True, flag_value=False, default=True,
        help="Don't write <artifact>.host.benchmark.json beside each artifact.")  # fmt: skip
@option("--no-code", "code", is_flag=True, flag_value=False, default=True,
        help="Refuse to run code that an option names.")  # fmt: skip
@option(
    "--threads", type=click.IntRange(1), default=1, section=TIMING, metavar="N",
    help="Threads within an operator; 1 if not given.",
)  # fmt: skip
@option(
    "--batch", type=click.IntRange(1), default=1, section=TIMING, metavar="N",
    help="Samples a call, where the batch is dynamic; 1 if not given.",
)  # fmt: skip
@option(
    "--provider", default="cpu", section=TIMING, metavar="NAME",
    help="What ONNX Runtime computes ONNX artifacts on: cpu (if not given), cuda or tensorrt.",
)  # fmt: skip
@option(
    "--duration", type=click.FloatRange(0, min_open=True), default=1.0, section=TIMING,
    metavar="S", help="Seconds of timed calls, for each artifact in each process; 1 if not given.",
)  # fmt: skip
@option(
    "--processes", type=click.IntRange(1), default=5, section=TIMING, metavar="N",
    help="Fresh processes; more narrow the intervals. 5 if not given.",
)  # fmt: skip
@option(
    "--seed", type=int, default=0, section=TIMING, metavar="N",
    help="Of random inputs and of the order of turns.",
)  # fmt: skip
@preprocessing_options
@common_options
def benchmark(terminal: Terminal, artifacts: tuple[str, ...], **options: Any) -> None:
    """Measure latency, memory and accuracy of artifacts.

    ARTIFACTS are .onnx and .tflite files, of any maker, and engines of ours. Several are timed
    together, in turns and in random order, so that what the machine does meanwhile meets them all:
    ratios have intervals. They refer to the first fp32 artifact, or to the first one. Pictures are
    preprocessed as at conversion, unless options say otherwise.
    """
    contract = take_contract(options)
    with terminal.progress("loading") as progress:
        from edgeopt.pipeline.benchmark import benchmark as run

        report = run(files(artifacts), preprocess=contract, progress=progress, **options)
    from edgeopt.cli.views.benchmark import draw_report

    terminal.show(report, lambda: draw_report(report, saved=options["save"]))
