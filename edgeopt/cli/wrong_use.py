"""click's complaints as ours: one line, the nearest name, and where help is."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

import click

from edgeopt.core.errors import UsageError

_TYPE = re.compile(r"is not a valid (?P<kind>integer|float)(?: range)?")
"""How click names its types."""


def as_usage_error(error: click.ClickException) -> UsageError:
    """What click found wrong, as one line with what to do next."""
    context = error.ctx if isinstance(error, click.UsageError) else None
    if isinstance(error, click.NoSuchOption) and context is not None:
        return _unknown_option(error.option_name, context)
    message = _TYPE.sub(_in_words, error.format_message().strip().rstrip("."))
    hint = "check who may read it" if message.endswith("is not readable") else _help_of(context)
    return UsageError(message[:1].lower() + message[1:], hint=hint)


def unknown_command(name: str, known: Iterable[str]) -> UsageError:
    """There is no such command."""
    names = list(known)
    near = nearest(name, names)
    return UsageError(
        f"no command {name!r}",
        hint=f"did you mean {near!r}?" if near else f"it has: {', '.join(names)}",
    )


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The most similar of ``known``, if any is similar at all."""
    # Without the dashes, which make any two options look alike.
    bare = {each.lstrip("-"): each for each in known}
    return next((bare[n] for n in difflib.get_close_matches(name.lstrip("-"), bare, n=1)), None)


def _in_words(kind: re.Match[str]) -> str:
    return f"is not a {'whole ' if kind['kind'] == 'integer' else ''}number"


def _unknown_option(name: str, context: click.Context) -> UsageError:
    params = context.command.get_params(context)
    known = [o for p in params for o in (*p.opts, *p.secondary_opts) if o.startswith("--")]
    near = nearest(name, known)
    if isinstance(context.command, click.Group) and near is None:
        return UsageError(f"no option {name}", hint="options come after the command's name")
    meant = f"did you mean {near}? " if near else _elsewhere(name, context)
    return UsageError(f"no option {name}", hint=f"{meant}{_help_of(context)}")


def _elsewhere(name: str, context: click.Context) -> str:
    """Which commands have the option that this one lacks; empty if none does."""
    root = context.find_root()
    assert isinstance(root.command, click.Group)
    having = [
        f"`{root.command_path} {each}`"
        for each in root.command.list_commands(root)
        if (command := root.command.get_command(root, each)) is not None
        and any(name in param.opts for param in command.params)
    ]
    return f"it is an option of {' and '.join(having[:2])}; " if having else ""


def _help_of(context: click.Context | None) -> str:
    return f"`{context.command_path if context else 'edgeopt'} --help` explains"
