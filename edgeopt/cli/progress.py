"""A bar for the step that is running, once it has taken long enough to be wondered about."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import TYPE_CHECKING, TextIO

from edgeopt.core.printable import shown

if TYPE_CHECKING:
    from rich.progress import Progress as Bar
    from rich.progress import TaskID

PATIENCE = 1.0
"""Seconds before anything is drawn, so that short runs stay clean."""


class StepDisplay:
    """Draws steps, one at a time; each goes when it ends.

    It is an ``edgeopt.core.progress.Progress``. A timer draws, so that a step which reports only
    its beginning is seen, too.

    Args:
        stream: A terminal; the stream itself, since steps that silence other packages replace
            ``sys.stderr`` meanwhile.
    """

    def __init__(self, stream: TextIO) -> None:
        self._lock = threading.RLock()
        self._stream = stream
        self._step, self._done = "", 0
        self._total: int | None = None
        self._timer: threading.Timer | None = None
        self._bar: Bar | None = None
        self._task: TaskID | None = None

    def __call__(self, step: str, done: int, total: int | None) -> None:
        """Take a report."""
        with self._lock:
            if step != self._step:
                self._begin(step)
            self._done, self._total = done, total
            if self._bar is not None and self._task is not None:
                self._bar.update(self._task, completed=done, total=total)

    def __enter__(self) -> StepDisplay:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        with self._lock:
            self._end()

    def _begin(self, step: str) -> None:
        self._end()
        self._step = step
        self._timer = threading.Timer(PATIENCE, self._draw, [step])
        self._timer.daemon = True
        self._timer.start()

    def _end(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._bar is not None:
            self._bar.stop()
        self._step, self._timer, self._bar = "", None, None

    def _draw(self, step: str) -> None:
        with self._lock:
            if step != self._step:
                return
            self._bar = _bar(self._stream, measured=self._total is not None)
            self._task = self._bar.add_task(shown(step), completed=self._done, total=self._total)
            self._bar.start()


def _bar(stream: TextIO, *, measured: bool) -> Bar:
    from rich import progress
    from rich.console import Console

    columns: list[progress.ProgressColumn] = [
        progress.TextColumn("{task.description}", markup=False),
        progress.BarColumn(bar_width=24),
    ]
    if measured:
        columns += [progress.MofNCompleteColumn(), progress.TimeRemainingColumn(compact=True)]
        columns += [progress.TextColumn("left")]
    else:
        columns += [progress.TimeElapsedColumn()]
    return progress.Progress(
        *columns,
        console=Console(file=stream),
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
    )
