"""What a validation finds."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

import msgspec

from edgeopt.benchmarks.messages import RuntimeRecord
from edgeopt.core.manifest import DataRecord
from edgeopt.core.precision import Format, Precision
from edgeopt.core.record import Record
from edgeopt.core.tensors import TensorSpec


class Level(StrEnum):
    """What became of a check, the worst last."""

    SKIPPED = "skipped"
    """It could not be made, or there was nothing to make it with."""
    PASS = "pass"  # noqa: S105 - no password
    WARN = "warn"
    FAIL = "fail"


class Finding(Record, frozen=True):
    """One check.

    Args:
        name: What was checked; see the guide.
        level: What became of it.
        subject: The input or output that it is about; empty where it is about all.
        data: ``evaluation`` where it is about the evaluation data; empty for the data itself.
        found: What was found, in a few words.
        limit: What is allowed, in a few words; empty where nothing else is.
        why: Of a level that isn't a pass, and what to do about it.
        examples: The first samples that it is about.
        figures: What was found, as numbers.
    """

    name: str
    level: Level
    subject: str = ""
    data: str = ""
    found: str = ""
    limit: str = ""
    why: str = ""
    examples: tuple[str, ...] = ()
    figures: dict[str, float] = msgspec.field(default_factory=dict)

    @property
    def title(self) -> str:
        """The name with what it is about."""
        about = [word for word in (self.data, self.subject) if word]
        return f"{self.name} ({': '.join(about)})" if about else self.name


class InputFigures(Record, frozen=True):
    """What one input's values are.

    Args:
        spec: The input.
        dtypes: As they are stored; as the preprocessing contract makes them, where there is one.
        shapes: Without the batch axis; the first few where there are many.
        low: The least finite value; None without any.
        high: The greatest.
        mean: Of the finite ones.
    """

    spec: TensorSpec
    dtypes: tuple[str, ...]
    shapes: tuple[tuple[int, ...], ...]
    low: float | None
    high: float | None
    mean: float | None


class DataFigures(Record, frozen=True):
    """What data is.

    Args:
        data: Which.
        inputs: Each input.
        classes: How many samples there are of each class, by its index; None without labels that
            are classes.
    """

    data: DataRecord
    inputs: tuple[InputFigures, ...]
    classes: dict[int, int] | None = None


class DataValidation(Record, frozen=True):
    """What ``edgeopt validate data`` found.

    Args:
        level: The worst of the findings'.
        findings: Each check.
        data: What the data is.
        evaluation: What the evaluation data is; None without any.
        model: The model that it was held against, as given.
        table: The calibration table.
        seconds: How long it took.
    """

    level: Level
    findings: tuple[Finding, ...]
    data: DataFigures
    evaluation: DataFigures | None
    model: str | None
    table: str | None
    seconds: float
    schema: Literal["edgeopt.validate.data/1"] = "edgeopt.validate.data/1"

    @property
    def subject(self) -> str:
        """What was validated."""
        return self.data.data.location


class ModelValidation(Record, frozen=True):
    """What ``edgeopt validate model`` found.

    Args:
        level: The worst of the findings'.
        findings: Each check.
        artifact: The file, as given.
        sha256: Its digest.
        size_bytes: Its size, the files of its external data included.
        format: What it is.
        precision: From its manifest; None without one.
        inputs: What its file takes; empty where that can't be read.
        operators: How many of each it has; empty likewise.
        runtime: What ran it; None where nothing could.
        samples: What it was run on; None likewise.
        reference: What its answers were held against, as given.
        seconds: How long it took.
    """

    level: Level
    findings: tuple[Finding, ...]
    artifact: str
    sha256: str
    size_bytes: int
    format: Format
    precision: Precision | None
    inputs: tuple[TensorSpec, ...]
    operators: dict[str, int]
    runtime: RuntimeRecord | None
    samples: DataRecord | None
    reference: str | None
    seconds: float
    schema: Literal["edgeopt.validate.model/1"] = "edgeopt.validate.model/1"

    @property
    def subject(self) -> str:
        """What was validated."""
        return self.artifact


Validation = DataValidation | ModelValidation
