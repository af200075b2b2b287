"""The commands, by name; none is imported before it is named."""

from __future__ import annotations

import click

from edgeopt.cli.group import LazyGroup, Listed
from edgeopt.core.version import __version__

PROGRAM = "edgeopt"


COMMANDS = {
    "convert": Listed(
        "edgeopt.cli.commands.convert:convert",
        "Convert a trained model into small, verified artifacts.",
    ),
    "calibrate": Listed(
        "edgeopt.cli.commands.calibrate:calibrate",
        "Observe a model's activations on data, once for every artifact.",
    ),
    "benchmark": Listed(
        "edgeopt.cli.commands.benchmark:benchmark",
        "Measure latency, memory and accuracy of artifacts.",
    ),
    "compare": Listed(
        "edgeopt.cli.commands.compare:compare",
        "Judge whether an artifact may take its baseline's place.",
    ),
    "validate": Listed(
        "edgeopt.cli.commands.validate:validate",
        "Check data, or an artifact, before anything is built on it.",
    ),
    "baseline": Listed(
        "edgeopt.cli.commands.baseline:baseline",
        "Keep artifacts under a name, to compare others with them.",
    ),
    "history": Listed(
        "edgeopt.cli.commands.history:history",
        "Show past comparisons and what they add up to.",
    ),
    "bundle": Listed(
        "edgeopt.cli.commands.bundle:bundle",
        "Make a folder that measures artifacts on a device by itself.",
    ),
    "inspect": Listed(
        "edgeopt.cli.commands.inspect:inspect",
        "Show what is inside a model: layers, scales, evidence.",
    ),
    "diagnose": Listed(
        "edgeopt.cli.commands.diagnose:diagnose",
        "Show where an artifact loses accuracy and time, and what to do next.",
    ),
    "targets": Listed(
        "edgeopt.cli.commands.targets:targets",
        "List devices, show one, check or make a profile of your own.",
    ),
    "doctor": Listed(
        "edgeopt.cli.commands.doctor:doctor",
        "Show what is installed here, and what each missing part needs.",
    ),
    "completion": Listed(
        "edgeopt.cli.commands.completion:completion",
        "Print the shell's completion script.",
    ),
}

EXAMPLES = (
    "edgeopt convert model.pt2 --precision fp32,int8 --calibration images/ -o out/",
    "edgeopt benchmark out/model.fp32.onnx out/model.int8.onnx --evaluation test.npz",
    "edgeopt inspect out/model.int8.onnx",
    "edgeopt convert --help",
)


@click.group(
    PROGRAM,
    cls=LazyGroup,
    listed=COMMANDS,
    examples=EXAMPLES,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name=PROGRAM, message="%(prog)s %(version)s")
@click.pass_context
def application(context: click.Context) -> None:
    """From a trained model to a small, fast, verified artifact for the device it must run on."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help())
