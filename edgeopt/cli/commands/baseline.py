"""``edgeopt baseline``."""

from __future__ import annotations

import click

from edgeopt.cli.command import command, option
from edgeopt.cli.options import common_options, store_option
from edgeopt.cli.terminal import Terminal
from edgeopt.core.printable import shown

SAVE, LIST, SHOW, REMOVE, PRUNE = "save", "list", "show", "remove", "prune"
NAMED = {SHOW, REMOVE}

EXAMPLES = (
    "edgeopt baseline save out/model.int8.onnx --name main",
    "edgeopt baseline save out/model.int8.onnx --name main --store s3://models/baselines",
    "edgeopt baseline list",
    "edgeopt baseline show main --json",
    "edgeopt baseline remove old",
    "edgeopt baseline prune",
)


@command("baseline", examples=EXAMPLES)
@click.argument("action", type=click.Choice([SAVE, LIST, SHOW, REMOVE, PRUNE]), default=LIST)
@click.argument("what", required=False, metavar="[ARTIFACT|NAME]", type=click.Path())
@option("--name", metavar="NAME",
        help="What to save it as: small letters and digits, with . _ - between them.")  # fmt: skip
@store_option
@common_options
def baseline(
    terminal: Terminal, action: str, what: str | None, name: str | None, store: str | None
) -> None:
    """Keep artifacts under a name, to compare others with them.

    `save` copies an artifact with its external data and its manifest into the store, and has NAME
    point at it; `edgeopt compare @NAME` takes it from there. `list` tells which names there are,
    `show` what one points at. `remove` takes a name away, and `prune` the files that no name points
    at any more: not while another saves.
    """
    _check(action, what, name)
    if action == SAVE:
        assert what is not None
        assert name is not None
        _save(terminal, what, name, store)
    elif action == SHOW:
        assert what is not None
        _show(terminal, what, store)
    elif action == REMOVE:
        assert what is not None
        _remove(terminal, what, store)
    elif action == PRUNE:
        _prune(terminal, store)
    else:
        _list(terminal, store)


def _check(action: str, what: str | None, name: str | None) -> None:
    told = ""
    if action in (LIST, PRUNE) and what:
        told = f"{action} takes no NAME"
    elif action == SAVE and not what:
        told = "Missing argument 'ARTIFACT'."
    elif action in NAMED and not what:
        told = "Missing argument 'NAME'."
    elif action == SAVE and not name:
        told = "Missing option '--name'."
    elif action != SAVE and name:
        told = "--name is save's"
    if told:
        raise click.UsageError(told, click.get_current_context())


def _save(terminal: Terminal, artifact: str, name: str, store: str | None) -> None:
    with terminal.progress("saving"):
        from edgeopt.pipeline.baseline import save

        saved = save(artifact, name, store)
    from edgeopt.cli.views.baseline import draw_saved

    terminal.show(saved, draw_saved)


def _list(terminal: Terminal, store: str | None) -> None:
    from edgeopt.cli.views.baseline import draw_list
    from edgeopt.pipeline.baseline import list as listed
    from edgeopt.pipeline.baseline.opening import open_store

    found = listed(store)
    terminal.show(found, lambda r: draw_list(r, shown(open_store(store).where)))


def _show(terminal: Terminal, name: str, store: str | None) -> None:
    from edgeopt.cli.views.baseline import draw_baseline
    from edgeopt.pipeline.baseline import show

    found = show(name, store)
    terminal.show(found, draw_baseline)


def _remove(terminal: Terminal, name: str, store: str | None) -> None:
    from edgeopt.cli.views.baseline import draw_removed
    from edgeopt.pipeline.baseline import remove

    found = remove(name, store)
    terminal.show(found, draw_removed)


def _prune(terminal: Terminal, store: str | None) -> None:
    with terminal.progress("pruning"):
        from edgeopt.pipeline.baseline import prune

        found = prune(store)
    from edgeopt.cli.views.baseline import draw_pruned

    terminal.show(found, draw_pruned)
