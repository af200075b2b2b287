"""How far quantized models are from their float source: one judge for every side.

Each model is judged as this machine runs it, and *emulated*: QuantizeLinear and DequantizeLinear as
they stand and all between them in float, which is what integer kernels with exact sums (VNNI, ARM)
give up to float32's rounding. On x86 without VNNI the first is lower, since two 8-bit products are
added in 16 bits there.
"""

from __future__ import annotations

import tempfile
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper

INTEGER = {"QLinearConv", "QLinearMatMul", "QGemm", "MatMulIntegerToFloat", "ConvInteger"}
FLOAT = {"Conv", "FusedConv", "Gemm", "FusedGemm", "MatMul", "FusedMatMul"}

Arrays = dict[str, np.ndarray]


@dataclass(frozen=True)
class ClassifierQuality:
    """A classifier beside its float source.

    Args:
        sqnr_db: Of the logits over all samples.
        agreement: Share of samples with the same most likely class, 0 to 1.
        divergence: KL(float || quantized) of the softmaxes in nats, the mean over samples.
    """

    sqnr_db: float
    agreement: float
    divergence: float


@dataclass(frozen=True)
class EmbeddingQuality:
    """A sentence encoder beside its float source.

    Args:
        sqnr_db: Of the embeddings over all samples.
        cosine: Between the two embeddings of a sentence, the mean over sentences.
        worst: The smallest of these.
        neighbours: Share of sentences whose nearest other sentence is the same, 0 to 1.
    """

    sqnr_db: float
    cosine: float
    worst: float
    neighbours: float


def classifier(model: Path, artifact: Path, data: Path, *, emulated: bool) -> dict[str, float]:
    """:class:`ClassifierQuality` of an artifact on held-out data."""
    reference, answer = _outputs(model, data, False), run(artifact, data, emulated=emulated)
    log_float, log_quantized = _log_softmax(reference), _log_softmax(answer)
    divergence = (np.exp(log_float) * (log_float - log_quantized)).sum(axis=1)
    return asdict(
        ClassifierQuality(
            sqnr_db=sqnr(reference, answer),
            agreement=float((reference.argmax(1) == answer.argmax(1)).mean()),
            divergence=float(divergence.mean()),
        )
    )


def embedding(model: Path, artifact: Path, data: Path, *, emulated: bool) -> dict[str, float]:
    """:class:`EmbeddingQuality` of an artifact on held-out data."""
    reference, answer = _outputs(model, data, False), run(artifact, data, emulated=emulated)
    one, two = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in (reference, answer))
    cosines = (one * two).sum(axis=1)
    return asdict(
        EmbeddingQuality(
            sqnr_db=sqnr(reference, answer),
            cosine=float(cosines.mean()),
            worst=float(cosines.min()),
            neighbours=float((_nearest(one) == _nearest(two)).mean()),
        )
    )


def integer_layers(artifact: Path) -> str:
    """How many convolutions and matrix products the runtime computes in integers: ``49 of 50``."""
    with tempfile.TemporaryDirectory() as folder:
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        # The level above rewrites layouts, and names of operators with them.
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
        options.optimized_model_filepath = str(Path(folder, "optimized.onnx"))
        onnxruntime.InferenceSession(str(artifact), options, providers=["CPUExecutionProvider"])
        graph = onnx.load(options.optimized_model_filepath, load_external_data=False).graph
    integer = sum(node.op_type in INTEGER for node in graph.node)
    return f"{integer} of {integer + sum(node.op_type in FLOAT for node in graph.node)}"


def sqnr(reference: np.ndarray, answer: np.ndarray) -> float:
    """Signal over noise, summed over everything, in dB."""
    noise = np.square(reference - answer).sum()
    return 10 * float(np.log10(np.square(reference).sum() / noise))


def run(model: Path, data: Path, *, emulated: bool) -> np.ndarray:
    """The first output of a model for each sample at batch 1: (N, ...) float64."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    # More would be no faster at batch 1 on a machine that is in use, and wait for each other.
    options.intra_op_num_threads = 1
    given: Any = str(model)
    if emulated:
        options.add_session_config_entry("session.disable_quant_qdq", "1")
        given = exact_products(model)
    session = onnxruntime.InferenceSession(given, options, providers=["CPUExecutionProvider"])
    samples = _samples(data)
    names = [spec.name for spec in session.get_inputs()]
    length = len(samples[names[0]])
    each = [
        session.run(None, {name: samples[name][i : i + 1] for name in names})[0]
        for i in range(length)
    ]
    return np.concatenate(each).astype(np.float64)


def exact_products(model: Path) -> str | bytes:
    """The model with each MatMulInteger written as float operators.

    A dynamically quantized model has no Q/DQ that the session could emulate. Sums above 2^24 are
    rounded, to one part in 10^7.

    Returns:
        The model's path if it has none, else its bytes.
    """
    proto = onnx.load(model)
    nodes = list(proto.graph.node)
    if not any(node.op_type == "MatMulInteger" for node in nodes):
        return str(model)
    del proto.graph.node[:]
    for node in nodes:
        proto.graph.node.extend(_as_floats(node) if node.op_type == "MatMulInteger" else [node])
    return bytes(proto.SerializeToString())


def _as_floats(node: Any) -> list[Any]:
    name, made, sides = node.output[0], [], []
    zeros = [*node.input[2:], "", ""][:2]
    for side, zero in zip(node.input[:2], zeros, strict=True):
        side_name = f"{name}.float{len(sides)}"
        made.append(helper.make_node("Cast", [side], [side_name], to=TensorProto.FLOAT))
        if zero:
            casts = [f"{side_name}.zero", f"{side_name}.centred"]
            made.append(helper.make_node("Cast", [zero], casts[:1], to=TensorProto.FLOAT))
            made.append(helper.make_node("Sub", [side_name, casts[0]], casts[1:]))
            side_name = casts[1]
        sides.append(side_name)
    made.append(helper.make_node("MatMul", sides, [f"{name}.sum"]))
    made.append(helper.make_node("Cast", [f"{name}.sum"], [name], to=TensorProto.INT32))
    return made


@cache
def _outputs(model: Path, data: Path, emulated: bool) -> np.ndarray:
    return run(model, data, emulated=emulated)


@cache
def _samples(data: Path) -> Arrays:
    with np.load(data) as archive:
        return {name: archive[name] for name in archive.files}


def _log_softmax(logits: np.ndarray) -> np.ndarray:
    shifted = logits - logits.max(axis=1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))


def _nearest(embeddings: np.ndarray) -> np.ndarray:
    likeness = embeddings @ embeddings.T
    np.fill_diagonal(likeness, -np.inf)
    return likeness.argmax(axis=1)
