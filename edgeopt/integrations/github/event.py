"""What started the workflow, and what may follow from it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Event:
    """What started the workflow.

    Args:
        name: ``push``, ``pull_request`` and so on.
        ref: ``refs/heads/main``; of a pull request ``refs/pull/7/merge``.
        default_branch: The repository's; empty where the event doesn't say.
    """

    name: str
    ref: str
    default_branch: str

    @property
    def saves(self) -> bool:
        """Whether a candidate that passes becomes the baseline: after a push to the main line only.

        A baseline that a pull request could replace holds nobody to anything.
        """
        return self.name == "push" and self._on_default_branch

    @property
    def accepts(self) -> bool:
        """Whether one that doesn't pass may be accepted as the baseline all the same."""
        return self.name in ("push", "workflow_dispatch") and self._on_default_branch

    @property
    def _on_default_branch(self) -> bool:
        return bool(self.default_branch) and self.ref == f"refs/heads/{self.default_branch}"


def read_event(environment: Mapping[str, str]) -> Event:
    """Read the runner's variables; what isn't there gives no rights."""
    return Event(
        environment.get("GITHUB_EVENT_NAME", ""),
        environment.get("GITHUB_REF", ""),
        _default_branch(environment.get("GITHUB_EVENT_PATH", "")),
    )


def _default_branch(path: str) -> str:
    try:
        payload = json.loads(Path(path).read_text(encoding="utf-8"))
        return str(payload["repository"]["default_branch"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""
