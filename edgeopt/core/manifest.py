"""What is known about an artifact: the file written beside it, ``<artifact>.json``.

It holds nothing that changes from run to run (no times, no dates), so that making an artifact
again gives the same bytes. Measurements are files of their own.
"""

from __future__ import annotations

from pathlib import Path

from edgeopt.core.files import sha256, write_bytes
from edgeopt.core.layout import Ends, Layout
from edgeopt.core.on_device import EdgeTpu, Firmware
from edgeopt.core.precision import Format, Precision
from edgeopt.core.preprocessing import Preprocessing
from edgeopt.core.record import Record, from_json, to_json
from edgeopt.core.tensors import TensorSpec
from edgeopt.core.via import Via

SCHEMA = 1


class DataRecord(Record, frozen=True, omit_defaults=True):
    """Which data was used.

    Args:
        kind: ``npz``, ``images``, ``function`` or ``random``.
        location: As the user gave it; for random data, the seed.
        sha256: Digest of the file, or of the folder's names and contents; None for a function.
        samples: How many samples it has.
        used: Which of them were used, as ``[start, stop)``.
        stride: Every how many-th of those; left out of JSON where it is each.
    """

    kind: str
    location: str
    sha256: str | None
    samples: int
    used: tuple[int, int]
    stride: int = 1


class SourceRecord(Record, frozen=True):
    """Which model was converted.

    Args:
        kind: ``pt2``, ``factory``, ``torchscript``, ``onnx``, ``module``, ``keras``,
            ``saved-model`` or ``keras-model``.
        location: As the user gave it.
        sha256: Digest of the file, or of the code file of a factory; None for a live module.
        weights: The file of a factory's weights, as given.
        weights_sha256: Its digest.
        signature: The signature of a SavedModel that was converted.
    """

    kind: str
    location: str
    sha256: str | None = None
    weights: str | None = None
    weights_sha256: str | None = None
    signature: str | None = None


class Encoding(Record, frozen=True):
    """How one tensor's real values are written as integers: ``real = scale * (q - zero_point)``.

    Args:
        tensor: The tensor's name in the float graph.
        dtype: The integers' type: ``uint8``, ``int8``, ``int32``.
        scale: One a channel, or one for the tensor.
        zero_point: Likewise.
        axis: The channels' axis; None for one scale.
        low: Smallest real value of the chosen range (the smallest of all channels).
        high: Largest.
    """

    tensor: str
    dtype: str
    scale: tuple[float, ...]
    zero_point: tuple[int, ...]
    axis: int | None
    low: float
    high: float


class FloatLayer(Record, frozen=True):
    """A convolution or matrix product that stayed in floating point, and why.

    Args:
        node: Its name in the float graph.
        op: Its operator.
        reason: Why, in a few words.
    """

    node: str
    op: str
    reason: str


class OutputCheck(Record, frozen=True):
    """How far one output is from its reference.

    Args:
        output: The output's name.
        sqnr_db: Signal to quantization noise ratio, ``10 log10(sum ref^2 / sum (ref - out)^2)``
            over all samples; None where the two are bit-identical.
        max_abs_error: The worst absolute difference.
        agreement: Share of rows whose largest entry is at the same place; None where the output
            doesn't look like class scores, ``(N, C)`` with C of 2 or more.
    """

    output: str
    sqnr_db: float | None
    max_abs_error: float
    agreement: float | None


class Verification(Record, frozen=True):
    """The comparison of two models on the same samples.

    Args:
        reference: What it was compared with: ``source`` or ``float graph``.
        data: The samples.
        floor_db: The SQNR each output had to reach.
        outputs: One entry an output.
        emulated: Whether what lies between Q and DQ was computed in float, because this machine's
            integer kernels saturate and the target's don't.
        stand_in: Whether the ONNX that went into an engine was run in its place, by ONNX Runtime.
    """

    reference: str
    data: DataRecord
    floor_db: float
    outputs: tuple[OutputCheck, ...]
    emulated: bool = False
    stand_in: bool = False

    @property
    def worst(self) -> OutputCheck:
        """The output with the lowest SQNR."""
        return min(self.outputs, key=lambda o: float("inf") if o.sqnr_db is None else o.sqnr_db)

    @property
    def passed(self) -> bool:
        """Whether every output reaches the floor."""
        return all(o.sqnr_db is None or o.sqnr_db >= self.floor_db for o in self.outputs)


class OutsideNode(Record, frozen=True):
    """A node that the built-in kernels compute.

    Args:
        op: LiteRT's name of its operator.
        tensor: What it gives.
    """

    op: str
    tensor: str


class Delegation(Record, frozen=True):
    """What of a TFLite artifact XNNPACK computes on the machine that made it.

    Args:
        nodes: How many nodes there are.
        partitions: Parts of the graph that XNNPACK took: one that holds every node is best.
        outside: The nodes in none of them.
    """

    nodes: int
    partitions: int
    outside: tuple[OutsideNode, ...] = ()


class ShapeRange(Record, frozen=True):
    """The shapes of one input that an engine takes.

    Args:
        input: Its name.
        least: The smallest of each size.
        usual: Those that it is tuned for.
        largest: The largest.
    """

    input: str
    least: tuple[int, ...]
    usual: tuple[int, ...]
    largest: tuple[int, ...]


class EngineLayer(Record, frozen=True):
    """A layer of an engine, read from the log of its build.

    Args:
        name: TensorRT's name for it.
        kind: TensorRT's kind: ``correlation`` is a convolution, ``gemm`` a matrix product, ``kgen``
            what was made up of elementwise operators.
        precision: The type of the activation that goes in, and so what it computes in.
        weights: The type of its first constant; None without one.
        nodes: The ONNX nodes that became part of it.
    """

    name: str
    kind: str
    precision: str
    weights: str | None
    nodes: tuple[str, ...]


class Engine(Record, frozen=True):
    """What is known of a TensorRT engine besides; or of a kit that one is built from.

    Args:
        builder: What built it, with its version; None for a kit.
        compute_capability: What it was built for; empty for any from Ampere on.
        shapes: What it takes, an entry an input.
        layers: Its layers; none in a kit.
    """

    builder: str | None
    compute_capability: str
    shapes: tuple[ShapeRange, ...]
    layers: tuple[EngineLayer, ...] = ()


class Official(Record, frozen=True):
    """The part that an official converter had in a TFLite artifact.

    Args:
        converter: Its name.
        ranges: Who found the ranges of activations: ``EdgeOpt``, from the calibration table, or the
            package that calibrated by itself; None where none are needed.
        reason: Why EdgeOpt's own compiler was not used; empty if the converter was asked for.
        named: How many activations have the range of the float graph's tensor of the same name.
        derived: How many have a range that follows from what they are made of.
        unknown: Those that stay float because nothing tells their range.
    """

    converter: str
    ranges: str | None = None
    reason: str = ""
    named: int = 0
    derived: int = 0
    unknown: tuple[OutsideNode, ...] = ()


class Recipe(Record, frozen=True):
    """How it was made: every option that has a say in the artifact's bytes.

    Args:
        target: The device it is encoded for.
        ranges: How activation ranges were chosen.
        effort: What was done for accuracy beyond them.
        corrected_on: How many samples corrections and rounding looked at.
        opset: The ONNX opset that was asked for.
        keep_float: Layers that were to stay float, as asked: names and patterns.
        keep_16bit: Layers whose activations were to have 16 bits.
        layout: The order of image inputs' axes in a TFLite artifact, where the model has channels
            first; None where the file keeps the model's own.
        io: What an int8 TFLite artifact takes and gives.
        via: The official converter that was asked for.
    """

    target: str
    ranges: str | None = None
    effort: str | None = None
    corrected_on: int = 0
    opset: int | None = None
    keep_float: tuple[str, ...] = ()
    keep_16bit: tuple[str, ...] = ()
    layout: Layout | None = None
    io: Ends | None = None
    via: Via | None = None


class Manifest(Record, frozen=True):
    """Everything known about an artifact when it was made.

    Args:
        artifact: Its file name.
        sha256: Digest of its bytes.
        size_bytes: Its size.
        format: What it is.
        precision: Of its arithmetic and weights.
        source: The model it was made from.
        graph_sha256: Digest of the float graph that it was made from.
        recipe: How it was made: what to ask for to make it again.
        versions: The version of every package that had a say.
        inputs: What the float graph takes; the recipe's ``layout`` and ``io`` say how a TFLite
            artifact's differ from it.
        outputs: What the float graph gives, likewise.
        preprocessing: What becomes of pictures before they are its inputs.
        calibration: The samples it was calibrated on; several records where tables were merged.
        encodings: The scale and zero point of each tensor of integers.
        source_check: The float graph against the source.
        verification: The artifact against the float graph; None if it was not asked for. A TFLite
            artifact runs as LiteRT has it by default, with XNNPACK.
        builtin: The same of a TFLite artifact with LiteRT's built-in kernels only, on the first
            samples.
        delegation: What of it XNNPACK computes.
        oldest_runtime: The oldest release that has a TFLite artifact's operators, by TensorFlow
            Lite's numbers; empty for other formats.
        integer_layers: How many convolutions and matrix products the runtime computes in integers,
            read from its own optimized graph; None where that wasn't looked at.
        float_layers: Those that it doesn't.
        engine: What is known of a TensorRT engine or kit besides.
        official: An official converter's part in it.
        firmware: What TFLite Micro needs besides, where that is the target's runtime.
        edge_tpu: What the Edge TPU would compute, where that is the target.
        warnings: What the user should know, one sentence each.
    """

    artifact: str
    sha256: str
    size_bytes: int
    format: Format
    precision: Precision
    source: SourceRecord
    graph_sha256: str
    recipe: Recipe
    versions: dict[str, str]
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    preprocessing: Preprocessing | None = None
    calibration: tuple[DataRecord, ...] = ()
    encodings: tuple[Encoding, ...] = ()
    integer_layers: int | None = None
    float_layers: tuple[FloatLayer, ...] = ()
    source_check: Verification | None = None
    verification: Verification | None = None
    builtin: Verification | None = None
    delegation: Delegation | None = None
    oldest_runtime: str = ""
    engine: Engine | None = None
    official: Official | None = None
    firmware: Firmware | None = None
    edge_tpu: EdgeTpu | None = None
    warnings: tuple[str, ...] = ()
    schema: int = SCHEMA


def manifest_path(artifact: Path) -> Path:
    """Where the manifest of ``artifact`` is: the same name with ``.json`` after it."""
    return artifact.with_name(artifact.name + ".json")


def write_manifest(artifact: Path, manifest: Manifest) -> None:
    """Write ``manifest`` beside ``artifact``."""
    write_bytes(manifest_path(artifact), to_json(manifest))


def read_manifest(artifact: Path) -> Manifest | None:
    """Read the manifest beside ``artifact``; None if there is none or it describes another file.

    A manifest whose digest doesn't match the artifact is stale, and nothing it says is believed.

    Raises:
        EdgeOptError: If a file of that name is there and isn't a manifest.
    """
    path = manifest_path(artifact)
    if not path.is_file() or not artifact.exists():
        return None
    manifest = from_json(path.read_bytes(), Manifest, where=str(path))
    return manifest if manifest.sha256 == sha256(artifact) else None
