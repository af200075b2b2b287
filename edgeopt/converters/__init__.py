"""Sources become float ONNX; float ONNX and encodings become artifacts.

Neither knows of the other: n sources and m formats, never n x m converters. ``registry`` lists
both by name and import path, so that listing them imports nothing.
"""
