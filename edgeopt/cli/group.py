"""Groups of commands; none is imported before it is named."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import click

from edgeopt.cli.command import write_examples
from edgeopt.cli.wrong_use import unknown_command


@dataclass(frozen=True)
class Listed:
    """A command that isn't imported yet.

    Args:
        path: ``module:name``.
        summary: Its line in the group's help; a test holds it equal to the command's own.
    """

    path: str
    summary: str


class LazyGroup(click.Group):
    """A group that lists its commands without importing them.

    Args:
        listed: Its commands by name, in the order in which they are used.
        examples: Command lines that can be run as they are.
    """

    def __init__(
        self,
        *args: Any,
        listed: Mapping[str, Listed] | None = None,
        examples: Sequence[str] = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.listed, self.examples = listed or {}, examples

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Their names."""
        return list(self.listed)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command."""
        if cmd_name not in self.listed:
            return None
        module, _, name = self.listed[cmd_name].path.partition(":")
        command: click.Command = getattr(import_module(module), name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, or say which one may have been meant."""
        known = args[0] in self.listed
        if not known and not args[0].startswith("-") and not ctx.resilient_parsing:
            raise unknown_command(args[0], self.listed)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list for ``--help``."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, listed.summary) for name, listed in self.listed.items()])

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples."""
        write_examples(self.examples, formatter)
