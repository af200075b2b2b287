"""Running a model of any format in this process, each in its own runtime."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from edgeopt.core.layout import Layout
from edgeopt.core.precision import Format
from edgeopt.core.tensors import Batch

if TYPE_CHECKING:
    import numpy as np

Run = Callable[[Batch, str], "list[np.ndarray]"]
"""Runs one batch, inputs by name, and gives the outputs in the model's order; its second argument
says where the batch comes from, for messages.

Raises:
    DataError: If the runtime refuses the inputs or fails on them.
"""


@dataclass(frozen=True)
class Opened:
    """A model that is ready to run.

    Args:
        run: Runs it; several threads may call it.
        outputs: The outputs' names, in order.
    """

    run: Run
    outputs: tuple[str, ...]


def open_artifact(
    path: Path,
    fmt: Format,
    *,
    layout: Layout = Layout.NCHW,
    threads: int = 1,
    emulated: bool = False,
    exact: bool = False,
    name: str = "",
) -> Opened:
    """Open an artifact in the runtime of its format.

    Args:
        path: The artifact.
        fmt: What it is.
        layout: The order of its image inputs' axes; what is given to ``run`` is NCHW, or in the
            file's own order where that is it.
        threads: Threads within an operator.
        emulated: See :func:`edgeopt.core.runtime.open_session`; of ONNX artifacts only.
        exact: Likewise.
        name: For messages; the path if empty.

    Raises:
        ModelError: If it isn't a valid model.
        UnsupportedError: If the runtime lacks one of its operators.
        MissingExtraError: If the runtime isn't installed.
    """
    if fmt is Format.TFLITE:
        from edgeopt.core.litert import open_litert

        model = open_litert(path, layout=layout, threads=threads, name=name)
        return Opened(model.run, model.outputs)
    return _open_onnx(path, threads, emulated, exact, name)


def _open_onnx(path: Path, threads: int, emulated: bool, exact: bool, name: str) -> Opened:
    from edgeopt.core.runtime import open_session, run

    session = open_session(path, threads=threads, emulated=emulated, exact=exact, name=name)
    names: Sequence[str] = [output.name for output in session.get_outputs()]
    return Opened(lambda inputs, origin: run(session, names, inputs, origin), tuple(names))
