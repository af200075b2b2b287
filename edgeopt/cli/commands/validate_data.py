"""``edgeopt validate data``."""

from __future__ import annotations

from typing import Any

import click

from edgeopt.cli.ci import ci_options, take_reporting
from edgeopt.cli.command import command, option
from edgeopt.cli.options import common_options, model_options, preprocessing_options
from edgeopt.cli.preprocessing import take_contract
from edgeopt.cli.terminal import Terminal

LIMITS = "Limits"

EXAMPLES = (
    "edgeopt validate data calibration.npz",
    "edgeopt validate data photos/ --model out/model.int8.onnx",
    "edgeopt validate data calibration.npz --model model.pt2 --evaluation test.npz",
    "edgeopt validate data new.npz --model model.pt2 --table model.table.npz --max-psi 0.1",
    "edgeopt validate data test.npz --classes 10 --strict --summary summary.md --junit data.xml",
)


@command("data", examples=EXAMPLES)
@click.argument("data", type=click.Path())
@option("--model", type=click.Path(), metavar="MODEL",
        help="What the data is for: an artifact, or a model as `edgeopt convert` takes it. Shapes, "
        "dtypes, classes and an artifact's preprocessing come from it.")  # fmt: skip
@option("--evaluation", type=click.Path(), metavar="DATA",
        help="Other data, checked likewise and beside DATA: no sample should be in both, and the "
        "values should be distributed alike.")  # fmt: skip
@option("--table", type=click.Path(), metavar="FILE",
        help="A calibration table: the values should be distributed as those that it "
        "counted.")  # fmt: skip
@option("--classes", type=click.IntRange(2), metavar="N",
        help="How many classes there are; what the model or the labels tell if not "
        "given.")  # fmt: skip
@option("--strict", is_flag=True, help="Warnings are failures.")
@ci_options
@option("--max-duplicates", default="5%", section=LIMITS, metavar="X%",
        help="Samples that were there before, bit for bit; 5% if not given.")  # fmt: skip
@option("--max-overlap", default="1%", section=LIMITS, metavar="X%",
        help="Evaluation samples that are in DATA too; 1% if not given.")  # fmt: skip
@option("--max-blank", default="5%", section=LIMITS, metavar="X%",
        help="Samples that are one single value throughout; 5% if not given.")  # fmt: skip
@option("--max-outside", default="1%", section=LIMITS, metavar="X%",
        help="Values beyond the range of pixels, of an int8 artifact's input, of the table, or of "
        "DATA; 1% if not given.")  # fmt: skip
@option("--max-imbalance", type=float, default=100.0, section=LIMITS, metavar="N",
        help="How many times as frequent as another a class may be; 100 if not given. From 10 on "
        "it is warned of.")  # fmt: skip
@option("--max-psi", type=float, default=0.25, section=LIMITS, metavar="X",
        help="The population stability index beside the table or DATA; 0.25 if not given. From "
        "0.1 on it is warned of.")  # fmt: skip
@option("--min-samples", type=click.IntRange(1), default=10, section=LIMITS, metavar="N",
        help="The fewest samples; 10 if not given. Fewer than ten times as many are warned "
        "of.")  # fmt: skip
@model_options
@preprocessing_options
@common_options
def data(terminal: Terminal, data: str, **options: Any) -> None:
    """Check what data holds, and whether it fits a model.

    DATA is a .npz, a folder of images, or module:function, most often what is calibrated on. It
    is read once, whatever its size. Checked are shapes and dtypes, NaN and infinity, ranges, blank
    and repeated samples, labels and classes, and drift beside a calibration table or other data.
    """
    contract = take_contract(options)
    reporting = take_reporting(options)
    with terminal.progress("reading the data") as progress:
        from edgeopt.pipeline.validate_data import validate_data as run

        found = run(data, preprocess=contract, progress=progress, **options)
    from edgeopt.cli.validation import report

    report(terminal, found, reporting)
