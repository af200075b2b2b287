"""Evaluation data, as an artifact takes it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgeopt.benchmarks.artifact import Artifact
from edgeopt.core.preprocessing import Preprocessing

if TYPE_CHECKING:
    from edgeopt.data import Dataset

Data = str | Path | Callable[[], Any]
"""A ``.npz``, a folder of images, ``module:function``, or a function that gives samples."""


def open_evaluation(
    artifact: Artifact,
    evaluation: Data | None,
    preprocessing: Preprocessing | None,
    code_allowed: bool,
) -> Dataset | None:
    """The evaluation data as an artifact takes it; None without any.

    Raises:
        DataError: If it doesn't fit.
    """
    from edgeopt.data import open_dataset

    if evaluation is None:
        return None
    stored = artifact.manifest.preprocessing if artifact.manifest else None
    contract = preprocessing or stored
    # What a contract makes of pixels is real numbers.
    specs = artifact.given(real=contract is not None)
    return open_dataset(evaluation, specs, contract, code_allowed=code_allowed)
