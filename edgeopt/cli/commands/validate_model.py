"""``edgeopt validate model``."""

from __future__ import annotations

from typing import Any

import click

from edgeopt.cli.ci import ci_options, take_reporting
from edgeopt.cli.command import command, option
from edgeopt.cli.options import common_options, model_options, preprocessing_options
from edgeopt.cli.preprocessing import take_contract
from edgeopt.cli.terminal import Terminal

FLOORS = "Floors"

EXAMPLES = (
    "edgeopt validate model out/model.int8.onnx",
    "edgeopt validate model out/model.int8.tflite --evaluation test.npz --min-accuracy 90%",
    "edgeopt validate model out/model.int8.onnx --reference model.pt2 --evaluation test.npz",
    "edgeopt validate model net.onnx --strict --summary summary.md --junit model.xml",
)


@command("model", examples=EXAMPLES)
@click.argument("artifact", type=click.Path())
@option(
    "--reference",
    type=click.Path(),
    metavar="MODEL",
    help="What it is to answer as: a float artifact, or a model as `edgeopt convert` takes it. "
    "What its manifest recorded when it was made is held against the floors if not given.",
)
@option(
    "--evaluation",
    type=click.Path(),
    metavar="DATA",
    help="Samples to run it on: a .npz, a folder of images, or module:function; with labels its "
    "top-1 accuracy is told. Random numbers if not given.",
)
@option("--strict", is_flag=True, help="Warnings are failures.")
@ci_options
@option(
    "--min-sqnr",
    type=float,
    section=FLOORS,
    metavar="DB",
    help="The least SQNR beside the reference; 80 for fp32, 40 for fp16, else 10 if not given.",
)
@option(
    "--min-agreement",
    section=FLOORS,
    metavar="X%",
    help="The least share of samples with the reference's class: 99%.",
)
@option(
    "--min-accuracy",
    section=FLOORS,
    metavar="X%",
    help="The least top-1 accuracy on labelled --evaluation: 90%.",
)
@option(
    "--threads",
    type=click.IntRange(1),
    default=1,
    metavar="N",
    help="Threads within an operator; 1 if not given.",
)
@option("--seed", type=int, default=0, metavar="N", help="Of random inputs.")
@model_options
@preprocessing_options
@common_options
def model(terminal: Terminal, artifact: str, **options: Any) -> None:
    """Check that an artifact loads, runs, and gives the answers it should.

    ARTIFACT is a .onnx or .tflite file, of any maker. It is run in fresh processes: twice each, so
    that what is random in it shows, and with another batch where that is dynamic. Its outputs must
    be finite, and near enough to those of its reference.
    """
    contract = take_contract(options)
    reporting = take_reporting(options)
    with terminal.progress("reading the artifact") as progress:
        from edgeopt.pipeline.validate_model import validate_model as run

        found = run(artifact, preprocess=contract, progress=progress, **options)
    from edgeopt.cli.validation import report

    report(terminal, found, reporting)
