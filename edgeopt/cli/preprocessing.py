"""From the preprocessing options to the contract that the pipeline takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edgeopt.core.errors import UsageError

if TYPE_CHECKING:
    from edgeopt.core.preprocessing import Preprocessing

NAMES = ("resize", "crop", "scale", "mean", "std", "color", "interpolation")


def take_contract(options: dict[str, Any]) -> Preprocessing | None:
    """Take the preprocessing options out of ``options``.

    Returns:
        The contract; None if no option of it was given.

    Raises:
        UsageError: If a file was given and single options too, or the values don't go together.
    """
    file = options.pop("preprocess")
    single = {name: value for name in NAMES if (value := options.pop(name)) is not None}
    if file is not None and single:
        given = ", ".join(f"--{name}" for name in single)
        raise UsageError(
            f"--preprocess and {given} don't go together",
            hint=f"put the values of {given} into {file}, or leave the file out",
        )
    if file is not None:
        return _read(file)
    return _contract(single) if single else None


def _read(file: str) -> Preprocessing:
    from pathlib import Path

    from edgeopt.core.preprocessing import Preprocessing
    from edgeopt.core.record import read_toml

    return read_toml(Path(file), Preprocessing)


def _contract(values: dict[str, Any]) -> Preprocessing:
    from edgeopt.core.preprocessing import Preprocessing

    try:
        return Preprocessing(**values)
    except ValueError as error:
        raise UsageError(f"--{error}", hint="`edgeopt convert --help` shows the form") from error
