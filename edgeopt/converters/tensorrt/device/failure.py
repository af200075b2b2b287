"""What goes wrong while an engine is built, as data that can be put into a sentence."""

from __future__ import annotations

from typing import Any, Dict, List, Optional


class Failure(Exception):  # noqa: N818 - it is an answer, not a bug of this program
    """An engine that can't be built.

    Args:
        stage: Where: ``module``, ``parse``, ``profile``, ``build`` or ``output``.
        reason: Why, in TensorRT's own words.
        nodes: The nodes that the parser refused: of each its ``node``, ``op`` and ``reason``.
    """

    def __init__(
        self, stage: str, reason: str, nodes: Optional[List[Dict[str, str]]] = None
    ) -> None:
        super().__init__(reason)
        self.stage = stage
        self.reason = reason
        self.nodes = nodes or []

    def as_json(self) -> Dict[str, Any]:
        """The answer that takes the result's place."""
        return {"failure": {"stage": self.stage, "reason": self.reason, "nodes": self.nodes}}
