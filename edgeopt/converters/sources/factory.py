"""Models that code the user names makes, of whichever framework."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from edgeopt.converters.registry import SOURCES
from edgeopt.converters.sources.live import kind_of, ready
from edgeopt.converters.sources.source import Source, SourceOptions
from edgeopt.core.errors import EdgeOptError, MissingExtraError, ModelError
from edgeopt.core.files import sha256
from edgeopt.core.manifest import SourceRecord
from edgeopt.core.usercode import call_named, load_named

_EXTRAS = {
    "torch": "torch",
    "safetensors": "torch",
    "tensorflow": "tensorflow",
    "keras": "tensorflow",
}
"""The extra that brings what a factory may import."""


def open_factory(model: str, options: SourceOptions) -> Source:
    """Call ``module:factory`` or ``file.py:factory`` and open what it gives.

    Raises:
        EdgeOptError: If the factory raises.
        MissingExtraError: If it needs a framework that isn't installed.
        ModelError: If it doesn't give a model, or the weights don't fit.
    """
    made = _made(str(model), options)
    if options.weights is not None and not options.weights.is_file():
        raise ModelError(f"{options.weights}: no such file", hint="check --weights")
    code = Path(str(model).rpartition(":")[0])
    record = SourceRecord(
        kind="factory",
        location=str(model),
        sha256=sha256(code) if code.is_file() else None,
        weights=str(options.weights) if options.weights else None,
        weights_sha256=sha256(options.weights) if options.weights else None,
    )
    source: Source = SOURCES[kind_of(made)].load()(made, options, record)
    return source


def _made(name: str, options: SourceOptions) -> Any:
    try:
        factory = load_named(name, allowed=options.code_allowed)
        return factory if ready(factory) else call_named(factory, name)
    except EdgeOptError as error:
        cause = error.__cause__
        missing = (getattr(cause, "name", None) or "").partition(".")[0]
        if isinstance(cause, ModuleNotFoundError) and missing in _EXTRAS:
            raise MissingExtraError(name, missing, _EXTRAS[missing]) from cause
        raise
