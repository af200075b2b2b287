"""A project's file, ``edgeopt.toml``: budgets, in general and by target.

::

    [budgets]
    max-slowdown = "3%"

    [budgets.targets.raspberry-pi-5]
    max-latency = "5ms"
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edgeopt.core.errors import UsageError
from edgeopt.core.record import load_toml
from edgeopt.core.spelling import nearest
from edgeopt.pipeline.budgets.keys import KEYS
from edgeopt.targets import known_targets

_BUDGETS, _TARGETS = "budgets", "targets"
_MISSPELT = 0.85
"""How alike two names are of which one is taken for the other misspelt; difflib's ratio."""

Values = Mapping[str, Any]
"""Budgets that were read, by their key."""


@dataclass(frozen=True)
class ProjectFile:
    """What one says.

    Args:
        path: The file, as it was named.
        general: Budgets for every target.
        targets: Those of each target, by its name.
    """

    path: str
    general: Values = field(default_factory=dict)
    targets: Mapping[str, Values] = field(default_factory=dict)

    def of(self, key: str, target: str) -> tuple[Any, str] | None:
        """A budget for a target, and where it stands; None if there is none."""
        if key in self.targets.get(target, {}):
            return self.targets[target][key], f"{self.path}, {_BUDGETS}.{_TARGETS}.{target}"
        if key in self.general:
            return self.general[key], f"{self.path}, {_BUDGETS}"
        return None


def read_project(path: str | Path | None) -> ProjectFile | None:
    """Read a project's file, all of it; None if None is given.

    Raises:
        UsageError: If it can't be read, isn't TOML, or has a key or value that isn't allowed.
    """
    if path is None:
        return None
    content = load_toml(Path(path))
    _check_keys(content, [_BUDGETS], f"{path}: ")
    budgets = _table(content.get(_BUDGETS, {}), f"{path}: {_BUDGETS}")
    targets = _table(budgets.pop(_TARGETS, {}), f"{path}: {_BUDGETS}.{_TARGETS}")
    for name in targets:
        _check_target(name, f"{path}: {_BUDGETS}.{_TARGETS}.{name}")
    return ProjectFile(
        str(path),
        _values(budgets, f"{path}: {_BUDGETS}", [*KEYS, _TARGETS]),
        {
            name: _values(table, f"{path}: {_BUDGETS}.{_TARGETS}.{name}", [*KEYS])
            for name, table in targets.items()
        },
    )


def _check_target(name: str, label: str) -> None:
    """Refuse a misspelt target: its budgets would hold nobody to anything.

    A target of the user's own may be called anything, but for what differs from one of ours by
    letters only.
    """
    known = known_targets()
    plain = name.lower().replace("_", "-")
    near = difflib.get_close_matches(plain, known, n=1, cutoff=_MISSPELT)
    if name not in known and near and _digits(name) == _digits(near[0]):
        raise UsageError(
            f"{label}: there is no such target",
            hint=f"did you mean {near[0]}? One of your own needs a name less like it",
        )


def _digits(name: str) -> str:
    return "".join(filter(str.isdigit, name))


def _values(table: Any, where: str, allowed: list[str]) -> Values:
    values = _table(table, where)
    _check_keys(values, allowed, f"{where}.")
    return {key: _value(key, value, f"{where}.{key}") for key, value in values.items()}


def _value(key: str, value: Any, label: str) -> Any:
    """A value is written as the option's is: in quotes, but for a number of decibels."""
    example = KEYS[key].example
    number = example.isdigit()
    fits = isinstance(value, int | float) if number else isinstance(value, str)
    if not fits or isinstance(value, bool):
        shown = example if number else f'"{example}"'
        raise UsageError(f"{label} is {value!r}", hint=f"write it as in {key} = {shown}")
    return KEYS[key].read(value, label)


def _table(value: Any, label: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise UsageError(
            f"{label} is {value!r}, and no table", hint=f"write it as [{label.partition(': ')[2]}]"
        )
    return dict(value)


def _check_keys(table: Mapping[str, Any], allowed: list[str], prefix: str) -> None:
    for key in table:
        if key not in allowed:
            raise UsageError(f"{prefix}{key}: there is no such key", hint=nearest(key, allowed))
