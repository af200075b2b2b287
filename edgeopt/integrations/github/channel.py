"""How a runner hears of results: files that it names, read when the step ends."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Channel:
    """The files of one step.

    Args:
        outputs: ``$GITHUB_OUTPUT``.
        summary: ``$GITHUB_STEP_SUMMARY``.
    """

    outputs: Path
    summary: Path

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Channel:
        """The runner's own."""
        return cls(Path(environment["GITHUB_OUTPUT"]), Path(environment["GITHUB_STEP_SUMMARY"]))

    def output(self, name: str, value: str) -> None:
        """Set an output; of several lines, too, whatever they are.

        The end is marked by a word that nobody can know: otherwise a file's name could set others.
        """
        end = f"end-{secrets.token_hex(16)}"
        _append(self.outputs, f"{name}<<{end}\n{value}\n{end}\n")

    def summarize(self, text: str) -> None:
        """Add to the job's summary."""
        _append(self.summary, text)


def _append(path: Path, text: str) -> None:
    with path.open("a", encoding="utf-8", newline="\n") as file:
        file.write(text)
