"""``edgeopt compare``."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edgeopt.cli.command import command, option
from edgeopt.cli.options import (
    TIMING,
    call_options,
    common_options,
    preprocessing_options,
    store_option,
)
from edgeopt.cli.preprocessing import take_contract
from edgeopt.cli.terminal import Terminal, complain
from edgeopt.core.errors import OutputError
from edgeopt.core.files import reporting, write_bytes

if TYPE_CHECKING:
    from edgeopt.benchmarks.gate.verdict import Comparison
    from edgeopt.pipeline.baseline import Saved

BUDGETS = "Budgets"

EXAMPLES = (
    "edgeopt compare baseline.tflite out/model.int8.tflite",
    "edgeopt compare baseline.onnx out/model.int8.onnx --max-slowdown 5% --max-size +0%",
    "edgeopt compare baseline.onnx candidate.onnx --evaluation test.npz --max-drop 0.5pp",
    "edgeopt compare baseline.onnx candidate.tflite --max-tail p99:10% --json",
    "edgeopt compare @main out/model.int8.onnx --if-missing save",
    "edgeopt compare baseline.tflite out/model.int8.tflite \\\n"
    "    --target raspberry-pi-5@ssh://pi@kitchen",
    "edgeopt compare baseline.onnx candidate.onnx --summary summary.md --junit report.xml",
)


@command("compare", examples=EXAMPLES)
@click.argument("baseline", type=click.Path())
@click.argument("candidate", type=click.Path())
@option(
    "--evaluation",
    type=click.Path(),
    metavar="DATA",
    help="Samples to compare answers on, with labels for --max-drop: a .npz, a folder of images, "
    "or module:function. The first are what is timed; random numbers if not given.",
)
@option(
    "--target",
    metavar="TARGET",
    help="The device to compare on: PROFILE@ssh://user@host, or a TOML file with an address; an "
    "address alone is probed. This machine if not given.",
)
@store_option
@option(
    "--if-missing",
    type=click.Choice(["save", "fail"]),
    default="fail",
    help="Where no baseline has the name @NAME: save the candidate as it, exit code 0, or fail, "
    "exit code 2; fail if not given.",
)
@option("--max-slowdown", default="3%", section=BUDGETS, metavar="X%",
        help="How much slower the candidate may be; 3% if not given.")  # fmt: skip
@option("--max-tail", section=BUDGETS, metavar="P:X%",
        help="How much slower a tail may be: p99:10% or p90:10%.")  # fmt: skip
@option("--max-latency", section=BUDGETS, metavar="MS",
        help="The most its median call may take: 5ms, or +10% of the baseline's.")  # fmt: skip
@option("--max-memory", section=BUDGETS, metavar="SIZE",
        help="The most its peak of memory may be: 50MB, or +10%.")  # fmt: skip
@option("--max-size", section=BUDGETS, metavar="SIZE",
        help="The most its file may be: 5MB, or +0%.")  # fmt: skip
@option("--max-load", section=BUDGETS, metavar="MS",
        help="The longest it may take to load: 100ms, or +20%.")  # fmt: skip
@option("--max-drop", section=BUDGETS, metavar="X",
        help="How far its accuracy may fall: 0.5pp.")  # fmt: skip
@option("--min-sqnr", type=float, section=BUDGETS, metavar="DB",
        help="The least SQNR between its outputs and the baseline's, in dB.")  # fmt: skip
@option("--min-agreement", section=BUDGETS, metavar="X%",
        help="The least share of samples with the baseline's class: 99%.")  # fmt: skip
@option(
    "--inconclusive",
    type=click.Choice(["fail", "pass"]),
    help="What an open verdict, or an unfit machine, is for the exit code: 1 or 0 instead of 3.",
)
@option("--summary", type=click.Path(path_type=Path), metavar="FILE.md",
        help="Add the result to a Markdown file, such as $GITHUB_STEP_SUMMARY.")  # fmt: skip
@option("--junit", type=click.Path(path_type=Path), metavar="FILE.xml",
        help="Write the checks as JUnit's XML.")  # fmt: skip
@option(
    "--annotations",
    type=click.Choice(["auto", "github", "none"]),
    default="auto",
    help="Annotate the run with the verdict, by a workflow command on standard error: for GitHub "
    "Actions, or never; auto (where GITHUB_ACTIONS is set) if not given.",
)
@option("--no-code", "code", is_flag=True, flag_value=False, default=True,
        help="Refuse to run code that an option names.")  # fmt: skip
@call_options
@option(
    "--duration", type=click.FloatRange(0, min_open=True), default=0.3, section=TIMING, metavar="S",
    help="Seconds of timed calls, of each session in each process; 0.3 if not given.",
)  # fmt: skip
@option(
    "--max-processes", type=click.IntRange(2), default=20, section=TIMING, metavar="N",
    help="The most fresh processes; it ends earlier where fewer can tell. 20 if not given.",
)  # fmt: skip
@option(
    "--max-time", type=click.FloatRange(0, min_open=True), default=300.0, section=TIMING,
    metavar="S", help="Seconds after which no process is started; 300 if not given.",
)  # fmt: skip
@preprocessing_options
@common_options
def compare(
    terminal: Terminal,
    inconclusive: str | None,
    if_missing: str,
    summary: Path | None,
    junit: Path | None,
    annotations: str,
    **options: Any,
) -> None:
    """Judge whether an artifact may take its baseline's place.

    BASELINE and CANDIDATE are .onnx or .tflite files with the same inputs and outputs, of any
    format and precision; BASELINE may be @NAME, one that `edgeopt baseline save` keeps. Both are
    timed in the same fresh processes, the baseline twice, until it can be told whether the
    candidate is slower than allowed. The verdict is pass (exit code 0), regression (1), or
    inconclusive or unfit, where the machine can't tell (3).
    """
    contract = take_contract(options)
    _check_place(summary, "--summary")
    _check_place(junit, "--junit")
    with terminal.progress("loading") as progress:
        found = _runner(if_missing)(preprocess=contract, progress=progress, **options)
    from edgeopt.pipeline.baseline import Saved

    if isinstance(found, Saved):
        from edgeopt.cli.views.baseline import draw_first

        terminal.show(found, lambda: draw_first(found))
        return
    _write(found, summary, junit)
    from edgeopt.cli.views.comparison import draw_comparison

    terminal.show(found, lambda: draw_comparison(found))
    if _annotates(annotations):
        from edgeopt.reports.workflow_commands import annotation

        complain(annotation(found, failing=inconclusive == "fail"))
    from edgeopt.pipeline.compare import check_verdict

    with terminal.judging():
        check_verdict(found, inconclusive)


def _annotates(annotations: str) -> bool:
    here = os.environ.get("GITHUB_ACTIONS") == "true"
    return annotations == "github" or (annotations == "auto" and here)


def _runner(if_missing: str) -> Callable[..., Comparison | Saved]:
    if if_missing == "save":
        from edgeopt.pipeline.first_run import compare_or_save

        return compare_or_save
    from edgeopt.pipeline.compare import compare

    return compare


def _check_place(path: Path | None, option: str) -> None:
    """Refuse a file that can't be written before anything is measured for it."""
    if path is not None and (path.is_dir() or not path.parent.is_dir()):
        what = "is a folder" if path.is_dir() else f"there is no folder {path.parent}"
        raise OutputError(f"{option} {path}: {what}", hint="name a file in a folder that is there")


def _write(found: Comparison, summary: Path | None, junit: Path | None) -> None:
    """Write what CI reads, before the verdict ends the command."""
    if summary is not None:
        from edgeopt.reports.gate_summary import summary as markdown

        with reporting(summary, "choose another file"), summary.open("a", encoding="utf-8") as file:
            file.write(markdown(found))
    if junit is not None:
        from edgeopt.reports.junit import junit as xml

        write_bytes(junit, xml(found))
