"""``edgeopt completion``."""

from __future__ import annotations

import click

from edgeopt.cli.command import command
from edgeopt.cli.options import common_options
from edgeopt.cli.terminal import Terminal

EXAMPLES = (
    'eval "$(edgeopt completion bash)"      # in ~/.bashrc (bash 4.4 or newer)',
    'eval "$(edgeopt completion zsh)"       # in ~/.zshrc',
    "edgeopt completion fish > ~/.config/fish/completions/edgeopt.fish",
)


@command("completion", examples=EXAMPLES)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@common_options
def completion(terminal: Terminal, shell: str) -> None:
    """Print the shell's completion script.

    With it, the Tab key completes commands, options and file names.
    """
    from click.shell_completion import get_completion_class

    from edgeopt.cli.application import PROGRAM, application
    from edgeopt.cli.boundary import COMPLETE_VARIABLE

    kind = get_completion_class(shell)
    assert kind is not None
    script = kind(application, {}, PROGRAM, COMPLETE_VARIABLE)
    # Not `source()`, which looks for the shell on this machine before it prints.
    text = script.source_template % script.source_vars()
    terminal.show({"shell": shell, "script": text}, lambda _: text)
