"""The commands, by name; none is imported before it is named."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module

import click

from edgeopt import __version__
from edgeopt.cli.command import write_examples
from edgeopt.cli.wrong_use import unknown_command

PROGRAM = "edgeopt"


@dataclass(frozen=True)
class Listed:
    """A command that isn't imported yet.

    Args:
        path: ``module:name``.
        summary: Its line in ``edgeopt --help``; a test holds it equal to the command's own.
    """

    path: str
    summary: str


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
    "baseline": Listed(
        "edgeopt.cli.commands.baseline:baseline",
        "Keep artifacts under a name, to compare others with them.",
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


class LazyGroup(click.Group):
    """A group that lists its commands without importing them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order in which they are used."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command."""
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name].path.partition(":")
        command: click.Command = getattr(import_module(module), name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, or say which one may have been meant."""
        if args[0] not in COMMANDS and not args[0].startswith("-") and not ctx.resilient_parsing:
            raise unknown_command(args[0], COMMANDS)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list for ``--help``."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, listed.summary) for name, listed in COMMANDS.items()])

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples."""
        write_examples(EXAMPLES, formatter)


@click.group(
    PROGRAM,
    cls=LazyGroup,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name=PROGRAM, message="%(prog)s %(version)s")
@click.pass_context
def application(context: click.Context) -> None:
    """From a trained model to a small, fast, verified artifact for the device it must run on."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help())
