"""LiteRT's flatbuffer schema, imported on use."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Any


@cache
def schema() -> Any:
    """The module with the schema's classes and enumerations."""
    return import_module("ai_edge_litert.schema_py_generated")
