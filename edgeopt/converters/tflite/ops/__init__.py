"""The operators, a family of ONNX operators a file."""
