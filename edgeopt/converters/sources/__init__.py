"""Readers of trained models, one kind a file: float ONNX out, and a reference to run."""

from edgeopt.converters.sources.detect import open_source
from edgeopt.converters.sources.source import Source, SourceOptions

__all__ = ["Source", "SourceOptions", "open_source"]
