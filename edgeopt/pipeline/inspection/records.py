"""What an inspection finds."""

from __future__ import annotations

from enum import StrEnum

from edgeopt.core.manifest import Delegation, Manifest
from edgeopt.core.precision import Format
from edgeopt.core.record import Record
from edgeopt.core.tensors import TensorSpec
from edgeopt.core.tflite_metadata import StoredNormalization


class StoredEncoding(Record, frozen=True):
    """How a tensor is written as integers, read from the file: ``real = scale * (q - zero_point)``.

    Args:
        tensor: The tensor's name.
        dtype: The integers' type.
        scale: One a channel, or one for the tensor.
        zero_point: Likewise.
        axis: The channels' axis; None for one scale.
        constant: Whether it is a weight or a bias, and not an activation.
    """

    tensor: str
    dtype: str
    scale: tuple[float, ...]
    zero_point: tuple[int, ...]
    axis: int | None
    constant: bool


class Layer(Record, frozen=True):
    """A convolution, matrix product or recurrence.

    Args:
        name: The node's name.
        op: Its operator.
        weight_shape: The shape of its constant weights; None if both operands are activations.
        weight_dtype: The type they are stored in.
        arithmetic: ``integer``, or the float type that it computes in; ``hybrid`` where integer
            weights meet activations that LiteRT makes integer as it runs.
        reason: Why it is float in a model that has integers, where that is known.
        input: The tensor whose encoding its input has; None for a float one.
        weight: Likewise, its weights.
        output: Likewise, its output.
    """

    name: str
    op: str
    weight_shape: tuple[int, ...] | None
    weight_dtype: str | None
    arithmetic: str
    reason: str | None = None
    input: str | None = None
    weight: str | None = None
    output: str | None = None


class ManifestState(StrEnum):
    """What is beside the file."""

    MATCHES = "matches"
    STALE = "stale"
    UNREADABLE = "unreadable"
    ABSENT = "absent"


class Basis(StrEnum):
    """How it is known which layers are integer."""

    RUNTIME = "runtime"
    """From the graph that the runtime optimized it to, when it was made."""
    STRUCTURE = "structure"
    """From the quantized tensors around them; the runtime may do otherwise."""
    BUILD_LOG = "build log"
    """From what TensorRT said when it built the engine."""


class Inspection(Record, frozen=True):
    """A model file, read back.

    Args:
        file: The file, as it was named.
        sha256: Digest of its bytes.
        size_bytes: Its size, the files of its external data included.
        format: What it is.
        ir_version: The version of ONNX's own format; None of another.
        opsets: Operator set versions by domain, ``ai.onnx`` being the standard one; of ONNX.
        producer: What wrote it, by its own word.
        inputs: What it takes; the shape of an unknown rank is ``("...",)``.
        outputs: What it gives.
        parameters: How many numbers its weights are: scales, zero points and shapes left out; None
            of an engine, which doesn't tell.
        ops: How many nodes of each operator, the most frequent first.
        qdq_pairs: How many QuantizeLinear nodes feed a DequantizeLinear.
        layers: Its layers, in the file's order.
        layers_from: How it is known which of them are integer.
        encodings: Every scale and zero point in the file, by tensor.
        encodings_match: Whether they equal the manifest's bit for bit; None if there is none.
        manifest_state: Whether a manifest is beside it, and describes these very bytes.
        manifest: The manifest, if it does.
        warnings: What the user should know.
        delegation: Of a TFLite file: what XNNPACK computes on this machine; None where LiteRT
            can't load it, which a warning tells.
        signatures: Its signatures' keys.
        metadata: The names of its metadata.
        normalization: What its metadata says of how images are normalized.
        oldest_runtime: The oldest release of the runtime that has its operators, as the file says,
            by TensorFlow Lite's numbers; empty if it doesn't.
    """

    file: str
    sha256: str
    size_bytes: int
    format: Format
    ir_version: int | None
    opsets: dict[str, int]
    producer: str
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    parameters: int | None
    ops: dict[str, int]
    qdq_pairs: int
    layers: tuple[Layer, ...]
    layers_from: Basis
    encodings: tuple[StoredEncoding, ...]
    encodings_match: bool | None
    manifest_state: ManifestState
    manifest: Manifest | None
    warnings: tuple[str, ...] = ()
    delegation: Delegation | None = None
    signatures: tuple[str, ...] = ()
    metadata: tuple[str, ...] = ()
    normalization: tuple[StoredNormalization, ...] = ()
    oldest_runtime: str = ""
