"""Why PyTorch doesn't read a ``.pt2`` file: what the file itself tells of it.

PyTorch logs the cause and raises another error that refers to the log, so it is looked for here.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from edgeopt.core.errors import ModelError

_PREFIX = "torch.ops."
_PYTORCHS_OWN = ("aten", "prims", "prim", "higher_order", "quantized_decomposed")
_SHOWN = 3
_DAMAGE = (
    zipfile.BadZipFile, OSError, StopIteration, ValueError, KeyError, TypeError, RecursionError,
)  # fmt: skip
"""What reading a damaged program's JSON raises."""


def unread(path: Path) -> ModelError | None:
    """What a program that PyTorch refused needs; None if it tells nothing, as a damaged one.

    Args:
        path: An archive that is whole.
    """
    try:
        program = _program(path)
        strange = sorted({name for name in _targets(program) if not _known(name)})
        saved_by = str(program["torch_version"])
    except _DAMAGE:
        return None
    foreign = [name for name in strange if name.split(".")[0] not in _PYTORCHS_OWN]
    if foreign:
        return ModelError(
            f"{path}: has operators that PyTorch doesn't know here: {_listed(foreign)}",
            hint="export the net without them, written in PyTorch's own operators: what somebody's "
            "own operator computes isn't in the file",
        )
    if _release(saved_by) == _release(torch.__version__):
        return None
    reason = f"; unknown to it: {_listed(strange)}" if strange else ""
    release = ".".join(_release(saved_by))
    return ModelError(
        f"{path}: saved by PyTorch {saved_by}, which PyTorch {torch.__version__} here doesn't read"
        f"{reason}",
        hint=f"install torch {release} here, or export and save it again with the PyTorch that is "
        "here",
    )


def _program(path: Path) -> Any:
    with zipfile.ZipFile(path) as archive:
        member = next(name for name in archive.namelist() if name.endswith("models/model.json"))
        return json.loads(archive.read(member))


def _targets(value: Any) -> Iterator[str]:
    """The operators of all nodes, those of subgraphs too: ``aten.relu.default``."""
    if isinstance(value, dict):
        target = value.get("target")
        if isinstance(target, str) and target.startswith(_PREFIX):
            yield target.removeprefix(_PREFIX)
        for inner in value.values():
            yield from _targets(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _targets(inner)


def _known(operator: str) -> bool:
    found: Any = torch.ops
    for part in operator.split("."):
        found = getattr(found, part, None)
    return found is not None


def _release(version: str) -> list[str]:
    return version.split("+")[0].split(".")[:2]


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
