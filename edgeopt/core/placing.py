"""Moving several finished files to their places, so that all of them get there.

Renames are done one after another, and a process can be killed between two. What it was about to do
is noted before the first, in the folder that the files come from; whoever finds that folder does
the rest. An artifact would be without its manifest otherwise, and then nobody could tell that it
may be replaced.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from edgeopt.core.errors import OutputError
from edgeopt.core.files import move_into_place, replaced_name, write_bytes
from edgeopt.core.refusals import reporting
from edgeopt.core.scratch import scratch_folder, sweep

_NOTE = "moves.json"


@contextmanager
def working_folder(output: Path) -> Iterator[Path]:
    """A hidden folder inside ``output`` for files that aren't finished: a rename finishes one.

    Raises:
        OutputError: If ``output`` can't be written.
    """
    with ExitStack() as stack:
        with reporting(output):
            folder = stack.enter_context(scratch_folder(output, finish=finish_placing))
        yield folder


def tidy(output: Path) -> None:
    """Finish or remove what a killed process left in ``output``, before anyone looks into it."""
    sweep(output, finish=finish_placing)


@dataclass(frozen=True)
class _Move:
    """A file that goes to its place.

    Args:
        name: Its path below the folder it is in now, and below the one it goes to.
        file: What tells it from any other.
        former: The same of what it replaces; None if there was nothing.
    """

    name: str
    file: list[int] | None
    former: list[int] | None


def place(work: Path, output: Path, names: Iterable[str]) -> None:
    """Move files from ``work``, a folder in ``output``, to ``output``.

    Args:
        work: Where they are.
        output: Where they go; folders among them replace folders.
        names: Their paths below ``work``, in the order in which they are moved.

    Raises:
        OutputError: If ``output`` can't be written.
    """
    moves = [_Move(n, _identity(work / n), _identity(output / n)) for n in names]
    write_bytes(work / _NOTE, json.dumps([asdict(move) for move in moves]).encode())
    for move in moves:
        (output / move.name).parent.mkdir(parents=True, exist_ok=True)
        move_into_place(work / move.name, output / move.name)


def finish_placing(work: Path) -> None:
    """Do the rest of what :func:`place` began and was killed in.

    Nothing is moved where anything is not as it was then: somebody has been at work there since.

    Args:
        work: The folder the files come from; they go to the one it is in.
    """
    with contextlib.suppress(OSError, OutputError, ValueError, TypeError, KeyError):
        for name in list(_remaining(work)):
            move_into_place(work / name, work.parent / name)


def _remaining(work: Path) -> Iterator[str]:
    """The names that haven't been moved yet.

    Raises:
        ValueError: If files are not as they were noted.
    """
    noted = (_Move(**each) for each in json.loads((work / _NOTE).read_bytes()))
    for move in noted:
        here, there = work / move.name, work.parent / move.name
        if Path(move.name).is_absolute() or ".." in Path(move.name).parts:
            raise ValueError(move.name)
        found = _identity(there)
        if _identity(here) == move.file is not None:
            put_by = found is None and _identity(replaced_name(here)) == move.former
            if found != move.former and not put_by:
                raise ValueError(there)
            yield move.name
        elif found != move.file:
            raise ValueError(there)


def _identity(path: Path) -> list[int] | None:
    """What renaming a file leaves as it is; None if there is none."""
    try:
        status = path.lstat()
    except FileNotFoundError:
        return None
    return [status.st_dev, status.st_ino, status.st_mtime_ns]
