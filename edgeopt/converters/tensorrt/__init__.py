"""TensorRT engines, and kits where none can be built.

All precision lives in the ONNX that goes in: ``prepare`` writes it, ``lint`` holds the rules that
TensorRT has for quantization and doesn't always tell, ``delivery`` says whether this machine can
build for the target. ``building`` runs ``device`` in a process of its own, and ``readback``
compares what was built with what was planned. ``kit`` packs the same program for the target.
"""
