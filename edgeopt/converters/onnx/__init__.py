"""ONNX artifacts for ONNX Runtime, one precision a file."""
