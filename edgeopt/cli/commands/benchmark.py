"""``edgeopt benchmark``."""

from __future__ import annotations

from typing import Any

import click

from edgeopt.cli.command import command, option
from edgeopt.cli.options import (
    TIMING,
    code_option,
    common_options,
    config_option,
    preprocessing_options,
    timing_options,
)
from edgeopt.cli.preprocessing import take_contract
from edgeopt.cli.terminal import Terminal
from edgeopt.cli.values import comma_list, files

BUDGETS = "Budgets"

EXAMPLES = (
    "edgeopt benchmark out/model.int8.onnx",
    "edgeopt benchmark out/model.fp32.onnx out/model.int8.onnx --evaluation test.npz",
    "edgeopt benchmark out/model.int8.onnx out/model.int8.tflite",
    "edgeopt benchmark out/model.int8.onnx --max-latency 5ms --max-size 2MB",
    "edgeopt benchmark out/model.*.onnx --evaluation test/ --accuracy top1 --threads 4",
    "edgeopt benchmark out/model.int8.onnx --evaluation test.npz --accuracy metrics.py:iou --json",
    "edgeopt benchmark out/model.int8.tflite --target raspberry-pi-5@ssh://pi@kitchen",
    "edgeopt benchmark out/model.int8.tflite --target pixel@adb://R58M30ABCDE \\\n"
    "    --benchmark-binary benchmark_model",
    "edgeopt benchmark out/model.int8.tflite --import result.json",
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
@option(
    "--target",
    metavar="TARGET",
    help="The device to measure on: PROFILE@ssh://user@host, PROFILE@adb://SERIAL, "
    "emulated://cortex-a76, or a TOML file with an address; an address alone is probed. This "
    "machine if not given.",
)
@option(
    "--benchmark-binary",
    type=click.Path(),
    metavar="FILE",
    help="A native program, built for the device, that measures there instead of Python: LiteRT's "
    "benchmark_model for .tflite, onnxruntime_perf_test for .onnx.",
)
@option(
    "--import",
    "results",
    type=click.Path(),
    metavar="FILE",
    help="Take in what a bundle's program found on a device, instead of measuring here.",
)
@option("--no-save", "save", is_flag=True, flag_value=False, default=True,
        help="Don't write <artifact>.<target>.benchmark.json beside each artifact.")  # fmt: skip
@code_option
@timing_options
@option(
    "--provider", default="cpu", section=TIMING, metavar="NAME",
    help="What ONNX Runtime computes ONNX artifacts on: cpu (if not given), cuda or tensorrt.",
)  # fmt: skip
@option("--max-latency", section=BUDGETS, metavar="MS",
        help="The most that the median call may take: 5ms; over it, exit code 1.")  # fmt: skip
@option("--max-memory", section=BUDGETS, metavar="SIZE",
        help="The most memory that it may hold: 64MB.")  # fmt: skip
@option("--max-size", section=BUDGETS, metavar="SIZE",
        help="The largest that its file may be: 2MB.")  # fmt: skip
@config_option
@preprocessing_options
@common_options
def benchmark(
    terminal: Terminal, artifacts: tuple[str, ...], results: str | None, **options: Any
) -> None:
    """Measure latency, memory and accuracy of artifacts.

    ARTIFACTS are .onnx and .tflite files, of any maker, and engines of ours. Several are timed
    together, in turns and in random order, so that what the machine does meanwhile meets them all:
    ratios have intervals. They refer to the first fp32 artifact, or to the first one. Pictures are
    preprocessed as at conversion, unless options say otherwise. Budgets hold for each artifact: an
    option's, else those of edgeopt.toml, else the target's own.
    """
    contract = take_contract(options)
    save = options["save"]
    if results is not None:
        from edgeopt.pipeline.budgets.asked import held
        from edgeopt.pipeline.budgets.file import read_project
        from edgeopt.pipeline.parsing import read_budget
        from edgeopt.pipeline.results import import_results

        limits = (options[name] for name in ("max_latency", "max_memory", "max_size"))
        budget, project = read_budget(*limits), read_project(options["config"])
        report = held(import_results(results, files(artifacts), save=save), budget, project)
    else:
        with terminal.progress("loading") as progress:
            from edgeopt.pipeline.benchmark import benchmark as run

            report = run(files(artifacts), preprocess=contract, progress=progress, **options)
    from edgeopt.cli.views.benchmark import draw_report

    terminal.show(report, lambda r: draw_report(r, saved=save))
    from edgeopt.benchmarks.budget import check_budgets
    from edgeopt.pipeline.results import check_outputs

    with terminal.judging():
        check_outputs(report)
        check_budgets(report)
