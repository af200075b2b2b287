"""``edgeopt compare``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edgeopt.cli.ci import Reporting, ci_options, take_reporting
from edgeopt.cli.command import command, option
from edgeopt.cli.options import (
    TIMING,
    call_options,
    code_option,
    common_options,
    config_option,
    preprocessing_options,
    store_option,
)
from edgeopt.cli.preprocessing import take_contract
from edgeopt.cli.terminal import Terminal
from edgeopt.core.errors import UsageError

if TYPE_CHECKING:
    from edgeopt.benchmarks.gate.verdict import Comparison
    from edgeopt.pipeline.baseline import Saved

BUDGETS = "Budgets"
HISTORY = "History"

EXAMPLES = (
    "edgeopt compare baseline.tflite out/model.int8.tflite",
    "edgeopt compare baseline.onnx out/model.int8.onnx --max-slowdown 5% --max-size +0%",
    "edgeopt compare baseline.onnx candidate.onnx --evaluation test.npz --max-drop 0.5pp",
    "edgeopt compare baseline.onnx candidate.tflite --max-tail p99:10% --json",
    "edgeopt compare @main out/model.int8.onnx --if-missing save",
    "edgeopt compare @main out/model.int8.onnx --history gate.jsonl --max-drift 10%",
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
@option("--max-slowdown", section=BUDGETS, metavar="X%",
        help="How much slower the candidate may be; 3% if not told here or by "
        "--config.")  # fmt: skip
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
@config_option
@option(
    "--inconclusive",
    type=click.Choice(["fail", "pass"]),
    help="What an open verdict, or an unfit machine, is for the exit code: 1 or 0 instead of 3.",
)
@ci_options
@option("--history", type=click.Path(path_type=Path), section=HISTORY, metavar="FILE.jsonl",
        help="Add the result to a history, and tell what they add up to.")  # fmt: skip
@option("--label", section=HISTORY, metavar="TEXT",
        help="Its name in the history; GitHub's or GitLab's commit if not given.")  # fmt: skip
@option("--max-drift", section=HISTORY, metavar="X%",
        help="How much slower than the history's first baseline it may be: 10%.")  # fmt: skip
@code_option
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
    history: Path | None,
    label: str | None,
    max_drift: str | None,
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
    reporting = take_reporting(options)
    _check_history(history, max_drift)
    with terminal.progress("loading") as progress:
        first = _runner(if_missing)(preprocess=contract, progress=progress, **options)
    from edgeopt.pipeline.baseline import Saved

    if isinstance(first, Saved):
        from edgeopt.cli.views.baseline import draw_first

        terminal.show(first, draw_first)
        return
    found = first
    if history is not None:
        from edgeopt.pipeline.history import record

        found = record(found, history, label=label, max_drift=max_drift)
    _tell(terminal, found, reporting, inconclusive)


def _tell(
    terminal: Terminal, found: Comparison, reporting: Reporting, inconclusive: str | None
) -> None:
    reporting.write(lambda: _summary(found), lambda: _junit(found))
    from edgeopt.cli.views.comparison import draw_comparison

    terminal.show(found, draw_comparison)
    reporting.annotate(lambda: _annotation(found, inconclusive))
    from edgeopt.pipeline.compare import check_verdict

    with terminal.judging():
        check_verdict(found, inconclusive)


def _check_history(history: Path | None, max_drift: str | None) -> None:
    if history is not None:
        from edgeopt.pipeline.history import check_history

        check_history(history, max_drift)
    elif max_drift is not None:
        raise UsageError("--max-drift needs a history", hint="name its file with --history")


def _runner(if_missing: str) -> Callable[..., Comparison | Saved]:
    if if_missing == "save":
        from edgeopt.pipeline.first_run import compare_or_save

        return compare_or_save
    from edgeopt.pipeline.compare import compare

    return compare


def _summary(found: Comparison) -> str:
    from edgeopt.reports.gate_summary import summary

    return summary(found)


def _junit(found: Comparison) -> bytes:
    from edgeopt.reports.junit import junit

    return junit(found)


def _annotation(found: Comparison, inconclusive: str | None) -> str:
    from edgeopt.reports.workflow_commands import annotation

    return annotation(found, failing=inconclusive == "fail")
