"""A float model as the user names it, with what its file can't tell."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgeopt.core.preprocessing import Preprocessing
from edgeopt.core.record import read_toml


@dataclass(frozen=True)
class GivenModel:
    """What every command that needs a float graph is told of it.

    Args:
        model: As :func:`edgeopt.convert` takes it; None where none is named.
        input: ``--input`` options.
        weights: A factory's weights.
        signature: One of a SavedModel's.
        preprocessing: The contract for pictures.
        code_allowed: False under ``--no-code``.
    """

    model: Any
    input: tuple[str, ...] = ()
    weights: Path | None = None
    signature: str | None = None
    preprocessing: Preprocessing | None = None
    code_allowed: bool = True

    @property
    def described(self) -> bool:
        """Whether anything is told of it that an artifact's file tells by itself."""
        return bool(self.input or self.weights or self.signature)


def read_given(
    model: Any,
    *,
    input: Iterable[str] = (),
    weights: str | Path | None = None,
    signature: str | None = None,
    preprocess: str | Path | Preprocessing | None = None,
    code: bool = True,
) -> GivenModel:
    """Read the arguments that tell of a model.

    Args:
        model: As :func:`edgeopt.convert` takes it.
        input: ``--input`` options.
        weights: A factory's weights.
        signature: One of a SavedModel's.
        preprocess: The contract for pictures, or a TOML file of it.
        code: False refuses to run code that the others name.

    Raises:
        UsageError: If the contract's file can't be read.
    """
    return GivenModel(
        model,
        tuple(input),
        None if weights is None else Path(weights),
        signature,
        read_preprocessing(preprocess),
        code,
    )


def read_preprocessing(value: str | Path | Preprocessing | None) -> Preprocessing | None:
    """The preprocessing contract, from a TOML file where a path is given."""
    if isinstance(value, (str, Path)):
        return read_toml(Path(value), Preprocessing)
    return value
