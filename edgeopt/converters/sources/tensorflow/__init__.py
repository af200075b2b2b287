"""Keras and TensorFlow models: read without running anything of theirs, frozen, written as ONNX."""
