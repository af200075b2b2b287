"""Writing ONNX files: in one piece for users, with the weights apart among our own.

Our own are read again and again, by the runtime and by us. Weights in a file beside the graph are
mapped into memory, not copied (EfficientNet-Lite0's 19 MB were held five times over), and a graph
that is edited in a few places is written without them.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

from edgeopt.core.files import weights_of
from edgeopt.core.ir import ir


def save_whole(model: ir.Model, path: Path) -> None:
    """Write one file with the weights inside.

    Args:
        model: Its weights are read into memory.
        path: Where to.
    """
    ir.external_data.load_to_model(model)
    ir.save(model, path)


def save_apart(model: ir.Model, path: Path) -> None:
    """Write the graph, and its weights to a file beside it.

    Args:
        model: It may be of another such file, not of this one.
        path: Where to; the weights go to :func:`edgeopt.core.files.weights_of` it.
    """
    ir.save(model, path, external_data=weights_of(path).name)


def save_graph(model: ir.Model, path: Path) -> None:
    """Write a graph anew; weights that lie in files stay where they are.

    Args:
        model: Of a file with its weights apart.
        path: Where to: into that file's folder, as the runtime takes no weights from others.
    """
    ir.save(model, path)


def remove(path: Path) -> None:
    """Remove a graph and the weights beside it, if there are any."""
    path.unlink()
    # Windows keeps a file that is still mapped; it goes with the temporary folder.
    with contextlib.suppress(PermissionError):
        weights_of(path).unlink(missing_ok=True)
