"""What the Edge TPU would compute of a TFLite file, by the rules that Coral published.

https://coral.ai/docs/edgetpu/models-intro/#supported-operations, for runtime 14. Whether it does is
for ``edgetpu_compiler`` to say, which is its user's: it knows more reasons than it tells.
"""

from __future__ import annotations

from collections.abc import Iterator

from edgeopt.core.on_device import EdgeTpu, StrandedNode
from edgeopt.core.tflite_graph import StoredOperator, StoredTensor, TfliteFile

OPERATORS = frozenset(
    {"ADD", "AVERAGE_POOL_2D", "CONCATENATION", "CONV_2D", "DEPTHWISE_CONV_2D", "EXPAND_DIMS",
     "FULLY_CONNECTED", "L2_NORMALIZATION", "LOGISTIC", "MAXIMUM", "MAX_POOL_2D", "MEAN",
     "MINIMUM", "MUL", "PACK", "PAD", "PRELU", "QUANTIZE", "REDUCE_MAX", "REDUCE_MIN", "RELU",
     "RELU6", "RELU_N1_TO_1", "RESHAPE", "RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR", "RSQRT",
     "SLICE", "SOFTMAX", "SPACE_TO_DEPTH", "SPLIT", "SQUARED_DIFFERENCE", "SQUEEZE",
     "STRIDED_SLICE", "SUB", "SUM", "TANH", "TRANSPOSE", "TRANSPOSE_CONV",
     "UNIDIRECTIONAL_SEQUENCE_LSTM"}
)  # fmt: skip

_EIGHT_BITS = ("int8", "uint8")
_INNER = 3

FLOAT_ENDS = (
    "its ends are float, so QUANTIZE and DEQUANTIZE stay on the CPU: --io int8 gives integer ends"
)
DYNAMIC = (
    "its batch is dynamic, and edgetpu_compiler takes fixed sizes: export the model with a batch "
    "of 1"
)


def examine(file: TfliteFile) -> EdgeTpu:
    """Which nodes the Edge TPU would compute, and why not the others."""
    stranded = list(_stranded(file))
    return EdgeTpu(len(file.operators), len(file.operators) - len(stranded), tuple(stranded))


def warnings(file: TfliteFile) -> tuple[str, ...]:
    """What could be done about its ends."""
    ends = [file.tensors[index] for index in (*file.inputs, *file.outputs)]
    found = []
    if any(tensor.spec.dtype == "float32" for tensor in ends):
        found.append(FLOAT_ENDS)
    if any(isinstance(size, str) for tensor in ends for size in tensor.spec.shape):
        found.append(DYNAMIC)
    return tuple(found)


def _stranded(file: TfliteFile) -> Iterator[StrandedNode]:
    # The compiler makes one part of what it can: what needs a result of the CPU's runs there too.
    lost: dict[int, str] = {}
    for op in file.operators:
        blamed = next((lost[index] for index in op.inputs if index in lost), None)
        why = _reason(file, op)
        if why is None and blamed is not None:
            why = f"it needs what {blamed} gives, which stays on the CPU"
        if why is None:
            continue
        first = all(i < 0 or i in file.inputs or file.tensors[i].constant for i in op.inputs)
        if not (op.code == "QUANTIZE" and first):  # the CPU hands over what it makes integers of
            lost.update(dict.fromkeys(op.outputs, blamed or op.code))
        yield StrandedNode(op.code, file.tensors[op.outputs[0]].spec.name, why)


def _reason(file: TfliteFile, op: StoredOperator) -> str | None:
    given = [file.tensors[index] for index in (*op.inputs, *op.outputs) if index >= 0]
    activations = [tensor for tensor in given if not tensor.constant]
    other = next((t.spec.dtype for t in activations if t.spec.dtype not in _EIGHT_BITS), None)
    if other is not None:
        return f"it has {other}, and the Edge TPU computes 8-bit integers"
    if op.custom or op.code not in OPERATORS:
        return f"the Edge TPU has no {op.code}"
    if any(map(_outer, activations)):
        return "it has more than one sample a call"
    return None


def _outer(tensor: StoredTensor) -> bool:
    """Whether a size before the three inner ones is more than 1."""
    return any(isinstance(size, int) and size > 1 for size in tensor.spec.shape[:-_INNER])
