"""A compiler from ONNX to TFLite: float graphs, and QDQ graphs with the very scales they hold.

The way of a model: ``known`` folds what doesn't depend on the inputs, ``lowering`` walks the graph
and hands each node to its family in ``ops``, which says it in LiteRT's operators on tensors of
``model``; ``views`` keeps track of how a stored tensor's axes stand for the ONNX value's, so that
channels-last convolutions need no transposes; ``passes`` fuse activations and make integer
operators of what stands between DEQUANTIZE and QUANTIZE; ``flatbuffer`` writes the file.
"""
