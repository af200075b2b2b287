"""A command whose help has its options in sections and ends in examples."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])

OPTIONS = "Options"


class SectionedOption(click.Option):
    """An option that knows under which heading of the help it is."""

    def __init__(self, *args: Any, section: str = OPTIONS, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.section = section


class Command(click.Command):
    """A command with examples.

    Args:
        examples: Command lines that can be run as they are; a continuation line is indented.
    """

    def __init__(self, *args: Any, examples: Sequence[str] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.examples = examples

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write one list for each section, in the order of the options."""
        sections: dict[str, list[tuple[str, str]]] = {}
        for param in self.get_params(ctx):
            record = param.get_help_record(ctx)
            if record is not None and not isinstance(param, click.Argument):
                name = getattr(param, "section", COMMON)
                sections.setdefault(name, []).append(record)
        for name, records in sections.items():
            with formatter.section(name):
                formatter.write_dl(records, col_max=26)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples."""
        write_examples(self.examples, formatter)


COMMON = "Common options"


def command(name: str, *, examples: Sequence[str]) -> Callable[[Callable[..., Any]], Command]:
    """Make a function a command."""
    return click.command(name, cls=Command, examples=examples)


def option(*names: str, section: str = OPTIONS, **kwargs: Any) -> Callable[[F], F]:
    """An option under a heading of the help."""
    return click.option(*names, cls=SectionedOption, section=section, **kwargs)


def write_examples(examples: Sequence[str], formatter: click.HelpFormatter) -> None:
    """Write examples as they are: a command line that was wrapped could not be copied."""
    with formatter.section("Examples"):
        for example in examples:
            for line in example.splitlines():
                formatter.write(f"  {line}\n")
