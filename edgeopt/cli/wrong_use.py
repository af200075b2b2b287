"""click's complaints as ours: one line, the nearest name, and where help is."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

import click

from edgeopt.core.errors import UsageError


def as_usage_error(error: click.ClickException) -> UsageError:
    """What click found wrong, as one line with what to do next."""
    context = error.ctx if isinstance(error, click.UsageError) else None
    if isinstance(error, click.NoSuchOption) and context is not None:
        return _unknown_option(error.option_name, context)
    message = error.format_message().strip().rstrip(".")
    return UsageError(message[:1].lower() + message[1:], hint=_help_of(context))


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


def _unknown_option(name: str, context: click.Context) -> UsageError:
    params = context.command.get_params(context)
    known = [o for p in params for o in (*p.opts, *p.secondary_opts) if o.startswith("--")]
    near = nearest(name, known)
    if isinstance(context.command, click.Group) and near is None:
        return UsageError(f"no option {name}", hint="options come after the command's name")
    meant = f"did you mean {near}? " if near else ""
    return UsageError(f"no option {name}", hint=f"{meant}{_help_of(context)}")


def _help_of(context: click.Context | None) -> str:
    return f"`{context.command_path if context else 'edgeopt'} --help` explains"
