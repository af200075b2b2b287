"""What a manifest holds for devices whose TFLite files LiteRT doesn't run."""

from __future__ import annotations

from edgeopt.core.record import Record


class BesideFile(Record, frozen=True):
    """A file that belongs to an artifact and lies beside it.

    Args:
        name: Its name.
        sha256: Digest of its bytes.
        size_bytes: Its size.
    """

    name: str
    sha256: str
    size_bytes: int


class Firmware(Record, frozen=True):
    """What a firmware with TFLite Micro needs of an artifact.

    Args:
        files: The model as a C array, its header, and a resolver of its operators.
        operators: The resolver's methods for them.
        arena_bytes: What the model takes of the tensor arena, by TFLite Micro's own interpreter on
            a machine of 64 bits; None where that isn't installed.
        absent: Why it is None.
        interpreter: The version of that interpreter.
        sqnr_db: Its worst output beside LiteRT's plain kernels', on one call of random inputs; None
            where they are the same bit for bit, or there is no interpreter.
    """

    files: tuple[BesideFile, ...]
    operators: tuple[str, ...]
    arena_bytes: int | None = None
    absent: str = ""
    interpreter: str | None = None
    sqnr_db: float | None = None


class StrandedNode(Record, frozen=True):
    """A node that an accelerator's compiler leaves on the CPU.

    Args:
        op: LiteRT's name of its operator.
        tensor: What it gives.
        reason: Why.
    """

    op: str
    tensor: str
    reason: str


class EdgeTpu(Record, frozen=True):
    """What the Edge TPU would compute of an artifact, by the rules that Coral published.

    Args:
        nodes: How many nodes there are.
        mapped: How many it would compute.
        stranded: The others.
    """

    nodes: int
    mapped: int
    stranded: tuple[StrandedNode, ...] = ()
