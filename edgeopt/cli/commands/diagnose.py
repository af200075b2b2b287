"""``edgeopt diagnose``."""

from __future__ import annotations

from typing import Any

import click

from edgeopt.cli.command import command, option
from edgeopt.cli.options import common_options
from edgeopt.cli.terminal import Terminal

FLOAT = "The float model"

EXAMPLES = (
    "edgeopt diagnose out/model.int8.onnx",
    "edgeopt diagnose out/model.int8.onnx --evaluation test.npz --page diagnosis.html",
    "edgeopt diagnose out/model.int8.onnx.failed --reference model.pt2 --samples 64",
    "edgeopt diagnose out/model.int8.onnx --min-sqnr 30 --json",
)


@command("diagnose", examples=EXAMPLES)
@click.argument("artifact", type=click.Path())
@option(
    "--evaluation",
    type=click.Path(),
    metavar="DATA",
    help="What to run on: a .npz with an array for each input, a folder of images, or "
    "module:function. Without it: what the artifact was verified on, else calibrated on, else "
    "random inputs.",
)
@option(
    "--samples", type=click.IntRange(1), default=32, metavar="N",
    help="How many of the samples, at most; 32 if not given.",
)  # fmt: skip
@option(
    "--min-sqnr", type=float, metavar="DB",
    help="An SQNR below which a layer has fallen off; 20 (int8), 40 (fp16) if not given.",
)  # fmt: skip
@option(
    "--page",
    type=click.Path(),
    metavar="FILE.html",
    help="Also write a page with plots; one file, which loads nothing from the network.",
)
@option("--force", is_flag=True, help="Replace a page that EdgeOpt did not write, too.")
@option(
    "--reference",
    type=click.Path(),
    section=FLOAT,
    metavar="MODEL",
    help="The model that ARTIFACT was made from, where it isn't found: a model file, the fp32 "
    "artifact, or module:factory. Without it: the fp32 artifact in the same folder, else the "
    "source that the manifest names.",
)
@option(
    "--weights", type=click.Path(), section=FLOAT, metavar="FILE",
    help="The weights of a factory that --reference names.",
)  # fmt: skip
@option(
    "--input", multiple=True, section=FLOAT, metavar="SPEC",
    help="As at conversion, where the model's file can't tell: sr=16000.",
)  # fmt: skip
@option(
    "--no-code", "code", is_flag=True, flag_value=False, default=True, section=FLOAT,
    help="Refuse to run code that the manifest or an option names.",
)  # fmt: skip
@common_options
def diagnose(
    terminal: Terminal, artifact: str, page: str | None, force: bool, **options: Any
) -> None:
    """Show where an artifact loses accuracy and time, and what to do next.

    ARTIFACT is an int8 or fp16 .onnx file with its manifest beside it. It runs beside its float
    graph, layer by layer; both are timed by operator. Long tables are cut; -v and --json have all
    of them.
    """
    with terminal.progress("reading the artifact") as progress:
        from edgeopt.pipeline.diagnose import diagnose as run

        if page is not None:
            from edgeopt.reports.file import check_page

            check_page(page, force=force)
        result = run(artifact, progress=progress, **options)
    if page is not None:
        from edgeopt.reports.diagnosis import write_diagnosis_page

        write_diagnosis_page(result, page, force=force)
    from edgeopt.cli.views.diagnosis_result import draw_result

    terminal.show(result, lambda r: draw_result(r, everything=terminal.verbose, page=page))
    terminal.warn(*result.warnings)
