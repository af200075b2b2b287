"""Evaluation data, as each artifact takes it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgeopt.benchmarks.artifact import Artifact
from edgeopt.core.preprocessing import Preprocessing
from edgeopt.pipeline.given import read_preprocessing

if TYPE_CHECKING:
    from edgeopt.data import Dataset

Data = str | Path | Callable[[], Any]
"""A ``.npz``, a folder of images, ``module:function``, or a function that gives samples."""


@dataclass(frozen=True)
class Evaluation:
    """What artifacts are evaluated on.

    Args:
        data: The data; None if there is none.
        contract: What becomes of pictures; an artifact's own, from its manifest, if None.
        code_allowed: False under ``--no-code``.
    """

    data: Data | None
    contract: Preprocessing | None = None
    code_allowed: bool = True

    def of(self, artifact: Artifact) -> Dataset | None:
        """The data as an artifact takes it; None without any.

        Raises:
            DataError: If it doesn't fit.
        """
        from edgeopt.data import open_dataset

        if self.data is None:
            return None
        stored = artifact.manifest.preprocessing if artifact.manifest else None
        contract = self.contract or stored
        # What a contract makes of pixels is real numbers.
        specs = artifact.given(real=contract is not None)
        return open_dataset(self.data, specs, contract, code_allowed=self.code_allowed)


def read_evaluation(
    data: Data | None, preprocess: str | Path | Preprocessing | None, code: bool
) -> Evaluation:
    """Read the arguments that tell of evaluation data.

    Raises:
        UsageError: If the contract's file can't be read.
    """
    return Evaluation(data, read_preprocessing(preprocess), code)
