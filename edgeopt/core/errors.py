"""Everything a user can get wrong, as one family.

::

    EdgeOptError                      one line for the user; exit code 2
    ├── UsageError                    options that don't go together, or a value that isn't allowed
    │   └── MissingBaselineError      a name that points at no baseline
    ├── ModelError                    a model that can't be read, or isn't what it claims to be
    │   └── UnsafeFileError           a file that would run code when loaded
    ├── UnsupportedError              asked for what a format, a runtime or a target doesn't have
    ├── DataError                     calibration or evaluation data that is missing or doesn't fit
    ├── BuildError                    an engine that could not be built
    ├── OutputError                   a file that can't be written, or would be overwritten
    ├── MissingExtraError             a package that isn't installed; names the extra that brings it
    ├── MeasurementError              this machine can't measure what was asked; exit code 3
    └── GateError                     a floor or budget that was not met; exit code 1
        └── VerificationError         an artifact too far from its float source

Anything else that escapes is a bug of ours and shows its traceback (exit code 70).
"""


class EdgeOptError(Exception):
    """A user's mistake, told in one line: what is wrong, where, and what to do next.

    Args:
        message: What is wrong and where, without a full stop at the end.
        hint: What to do next, in the imperative.
    """

    exit_code = 2

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = " ".join(message.split())
        self.hint = " ".join(hint.split())

    def __str__(self) -> str:
        return f"{self.message}: {self.hint}" if self.hint else self.message


class UsageError(EdgeOptError):
    """Options that don't go together, or a value that isn't one of the allowed ones."""


class MissingBaselineError(UsageError):
    """A name that points at no baseline: the first run of a gate meets it."""


class ModelError(EdgeOptError):
    """A model that can't be read, or isn't what it claims to be."""


class UnsafeFileError(ModelError):
    """A file that would run code when loaded."""


class UnsupportedError(EdgeOptError):
    """Something a format, a runtime or a target doesn't have."""


class DataError(EdgeOptError):
    """Calibration or evaluation data that is missing or doesn't fit the model."""


class BuildError(EdgeOptError):
    """An engine that could not be built, though the model is one that TensorRT takes."""


class OutputError(EdgeOptError):
    """A file that can't be written, or that would be overwritten without being asked to."""


class MissingExtraError(EdgeOptError):
    """A package that isn't installed.

    Args:
        what: What needs it, as the subject of the sentence.
        package: The package's import name.
        extra: The extra of ``edgeopt`` that installs it.
    """

    def __init__(self, what: str, package: str, extra: str) -> None:
        super().__init__(
            f"{what} needs the package {package!r}, which is not installed",
            hint=f"pip install 'edgeopt[{extra}]'",
        )
        self.extra = extra


class MeasurementError(EdgeOptError):
    """This machine can't measure what was asked."""

    exit_code = 3


class GateError(EdgeOptError):
    """A floor or a budget that was not met."""

    exit_code = 1


class VerificationError(GateError):
    """An artifact that is further from its float source than its floor allows.

    Args:
        message: As for every error.
        hint: Likewise.
        result: What was made all the same, a :class:`edgeopt.ConvertResult`; None outside of
            conversions.
    """

    def __init__(self, message: str, *, hint: str = "", result: object = None) -> None:
        super().__init__(message, hint=hint)
        self.result = result
