"""Transposes of float ONNX graphs, moved until they meet: graphs from channels last have many."""
