"""Values that options take: text in, numbers out."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import click

from edgeopt.core.errors import UsageError

Completer = Callable[[click.Context, click.Parameter, str], list[str]]


def numbers(text: str) -> tuple[float, ...]:
    """``0.485,0.456,0.406``.

    >>> numbers("0.5, 1/2")
    (0.5, 0.5)
    """
    return tuple(scale(part) for part in text.split(","))


def scale(text: str) -> float:
    """``0.0039`` or ``1/255``.

    >>> scale("1/255") == 1 / 255
    True
    """
    above, slash, below = text.partition("/")
    try:
        return float(above) / float(below) if slash else float(above)
    except (ValueError, ZeroDivisionError):
        raise click.BadParameter(f"{text!r} is not a number: write 0.5 or 1/255") from None


def side(text: str) -> int:
    """A number of pixels, at least 1."""
    if not text.strip().isdecimal() or int(text) < 1:
        raise click.BadParameter(f"{text!r} is not a number of pixels")
    return int(text)


def size(text: str) -> int | tuple[int, int]:
    """``256`` for the shorter side, ``224x320`` for height and width.

    >>> size("256"), size("224x320")
    (256, (224, 320))
    """
    height, cross, width = text.lower().partition("x")
    try:
        return (side(height), side(width)) if cross else side(text)
    except click.BadParameter:
        raise click.BadParameter(
            f"{text!r} is no size: write 256 for the shorter side, or height and width as 224x320"
        ) from None


def comma_list(_context: click.Context, _param: click.Parameter, values: tuple[str, ...]) -> str:
    """Join what an option was given, however often: ``--to onnx --to tflite``."""
    return ",".join(values)


def completed(names: Iterable[str]) -> Completer:
    """Completion of a comma list: the names that aren't in it yet."""

    def complete(_context: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
        before, comma, last = incomplete.rpartition(",")
        taken = before.split(",")
        return [before + comma + n for n in names if n.startswith(last) and n not in taken]

    return complete


def files(patterns: tuple[str, ...]) -> list[str]:
    """File names; a pattern that the shell left alone, as Windows' does, is expanded.

    Raises:
        UsageError: If a pattern matches nothing.
    """
    import glob

    found: list[str] = []
    for pattern in patterns:
        plain = not glob.has_magic(pattern) or Path(pattern).exists()
        matches = [pattern] if plain else sorted(glob.glob(pattern))  # noqa: PTH207 - absolute patterns too
        if not matches:
            raise UsageError(f"{pattern}: no file matches", hint="check the folder and the pattern")
        found += matches
    return found
