"""Patterns of ONNX operators that LiteRT has one operator for; each edits a graph in place."""
