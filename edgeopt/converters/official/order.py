"""The order of a file's inputs and outputs, which TFLiteConverter sorts by name."""

from __future__ import annotations

from collections.abc import Sequence

from ai_edge_litert import schema_py_generated as schema


def in_order(content: bytes, inputs: Sequence[str], outputs: Sequence[str]) -> bytes:
    """The same file with its ends in the model's order.

    Args:
        content: The file; its only signature names every input and output.
        inputs: Their names, in the model's order.
        outputs: Likewise.
    """
    changed = bytearray(content)  # what flatbuffers reads of it as numpy can be written to
    model = schema.Model.GetRootAs(changed, 0)
    graph, signature = model.Subgraphs(0), model.SignatureDefs(0)
    for places, names, one, count in (
        (graph.InputsAsNumpy(), inputs, signature.Inputs, signature.InputsLength()),
        (graph.OutputsAsNumpy(), outputs, signature.Outputs, signature.OutputsLength()),
    ):
        indices = {one(n).Name().decode(): one(n).TensorIndex() for n in range(count)}
        places[:] = [indices[name] for name in names]
    return bytes(changed)
