"""``edgeopt targets``."""

from __future__ import annotations

import click

from edgeopt.cli.command import command
from edgeopt.cli.options import common_options
from edgeopt.cli.terminal import Terminal

LIST, SHOW, CHECK, PROBE = "list", "show", "check", "probe"

EXAMPLES = (
    "edgeopt targets list",
    "edgeopt targets show raspberry-pi-5",
    "edgeopt targets check ./board.toml",
    "edgeopt targets probe > board.toml",
)


@command("targets", examples=EXAMPLES)
@click.argument("action", type=click.Choice([LIST, SHOW, CHECK, PROBE]), default=LIST)
@click.argument("targets", nargs=-1, metavar="[TARGET]...")
@common_options
def targets(terminal: Terminal, action: str, targets: tuple[str, ...]) -> None:
    """List devices, show one, check or make a profile of your own.

    A TARGET is what `--target` takes: a profile's name, or a TOML file of your own. `show` tells
    what runs on it, what doesn't and why, and what was published of its speed. `check` reads a
    file and names the key that is wrong. `probe` writes such a file of this machine.
    """
    if (action in (LIST, PROBE)) == bool(targets):
        told = f"{action} takes no TARGET" if targets else "Missing argument 'TARGET'."
        raise click.UsageError(told, click.get_current_context())
    if action == PROBE:
        from edgeopt.pipeline.probe import as_toml, probe_host

        probed = probe_host()
        terminal.show(probed, lambda: as_toml(probed))
        return
    from edgeopt.cli.views.targets import draw_check, draw_list, draw_target
    from edgeopt.targets import known_targets, load_target

    found = [load_target(name) for name in targets or known_targets()]
    draw = {LIST: draw_list, CHECK: draw_check}.get(action)
    terminal.show(found, lambda: draw(found) if draw else "\n".join(map(draw_target, found)))
