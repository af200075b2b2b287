"""``edgeopt targets``."""

from __future__ import annotations

import click

from edgeopt.cli.command import command, option
from edgeopt.cli.options import common_options
from edgeopt.cli.terminal import Terminal

LIST, SHOW, CHECK, PROBE, EMULATOR = "list", "show", "check", "probe", "emulator"

OF_EMULATOR = "About the emulator"
CPUS = ("cortex-a72", "cortex-a76")

EXAMPLES = (
    "edgeopt targets list",
    "edgeopt targets show raspberry-pi-5",
    "edgeopt targets check ./board.toml",
    "edgeopt targets probe > board.toml",
    "edgeopt targets probe ssh://pi@kitchen > board.toml",
    "edgeopt targets emulator --cpu cortex-a76",
)


@command("targets", examples=EXAMPLES)
@click.argument("action", type=click.Choice([LIST, SHOW, CHECK, PROBE, EMULATOR]), default=LIST)
@click.argument("targets", nargs=-1, metavar="[TARGET]...")
@option(
    "--cpu", "cpus", multiple=True, type=click.Choice(CPUS), section=OF_EMULATOR,
    help="The processor that is emulated; cortex-a72 is a Raspberry Pi 4's, cortex-a76 a Raspberry "
    "Pi 5's. Both if not given.",
)  # fmt: skip
@option(
    "--root", type=click.Path(), metavar="DIR", section=OF_EMULATOR,
    help="The folder of the emulator's roots; the user's cache folder if not given.",
)  # fmt: skip
@common_options
def targets(
    terminal: Terminal,
    action: str,
    targets: tuple[str, ...],
    cpus: tuple[str, ...],
    root: str | None,
) -> None:
    """List devices, show one, check or make a profile of your own.

    A TARGET is what `--target` takes: a profile's name, or a TOML file of your own. `show` tells
    what runs on it, what doesn't and why, and what was published of its speed. `check` reads a
    file and names the key that is wrong. `probe` writes such a file of this machine, or of a device
    that is named by its address. `emulator` makes what `--target emulated://cortex-a76` runs in.
    """
    _check(action, targets, bool(cpus or root))
    if action == EMULATOR:
        _emulator(terminal, cpus or CPUS, root)
    elif action == PROBE:
        _probe(terminal, *targets)
    else:
        _show(terminal, action, targets)


def _check(action: str, targets: tuple[str, ...], emulator: bool) -> None:
    told = ""
    if action in (LIST, EMULATOR) and targets:
        told = f"{action} takes no TARGET"
    elif action in (SHOW, CHECK) and not targets:
        told = "Missing argument 'TARGET'."
    elif action == PROBE and len(targets) > 1:
        told = "probe takes one address"
    elif emulator and action != EMULATOR:
        told = "--cpu and --root are emulator's"
    if told:
        raise click.UsageError(told, click.get_current_context())


def _emulator(terminal: Terminal, cpus: tuple[str, ...], root: str | None) -> None:
    from edgeopt.cli.views.targets import draw_emulators
    from edgeopt.targets.emulator import prepare

    with terminal.progress("preparing") as progress:
        made = [prepare(cpu, root, progress=progress) for cpu in cpus]
    terminal.show(made, draw_emulators)


def _probe(terminal: Terminal, address: str | None = None) -> None:
    from edgeopt.pipeline.probe import as_toml, probe_device, probe_host

    if address is None:
        probed = probe_host()
    else:
        with terminal.progress("probing") as progress:
            probed = probe_device(address, progress=progress)
    terminal.show(probed, as_toml)


def _show(terminal: Terminal, action: str, targets: tuple[str, ...]) -> None:
    from edgeopt.cli.views.targets import draw_check, draw_list, draw_target
    from edgeopt.targets import known_targets, load_target

    found = [load_target(name) for name in targets or known_targets()]
    draw = {LIST: draw_list, CHECK: draw_check}.get(action)
    terminal.show(found, lambda r: draw(r) if draw else "\n".join(map(draw_target, r)))
