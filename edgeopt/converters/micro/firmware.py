"""All that a firmware needs of an artifact, beside it."""

from __future__ import annotations

from pathlib import Path

from edgeopt.converters.micro import sources
from edgeopt.converters.micro.arena import MISSING, interpreter, try_out
from edgeopt.converters.micro.check import check_runs
from edgeopt.converters.micro.operators import METHODS
from edgeopt.core.files import sha256, write_bytes
from edgeopt.core.on_device import BesideFile, Firmware
from edgeopt.core.tflite_file import read_tflite


def write_firmware(artifact: Path, by: str) -> Firmware:
    """Write an artifact's C array, its header and its operators beside it.

    Args:
        artifact: The artifact.
        by: What makes it, with its version.

    Raises:
        UnsupportedError: If TFLite Micro can't run the artifact.
    """
    file = read_tflite(artifact)
    check_runs(file, artifact.name)
    found = interpreter()
    tried = try_out(artifact, artifact.name) if found is not None else None
    arena = None if tried is None else tried.arena_bytes
    content, codes = artifact.read_bytes(), sorted({op.code for op in file.operators})
    said = f"Made by {by} of {artifact.name}, sha256 {sha256(artifact)}"
    absent = "" if found is not None else MISSING
    texts = (
        sources.array(artifact, content, said),
        sources.header(artifact, len(content), arena, absent, said),
        sources.operators(artifact, codes, said),
    )
    made = sources.paths(artifact)
    for path, text in zip(made, texts, strict=True):
        write_bytes(path, text.encode())
    return Firmware(
        files=tuple(BesideFile(p.name, sha256(p), p.stat().st_size) for p in made),
        operators=tuple(METHODS[code] for code in codes),
        arena_bytes=arena,
        absent=absent,
        interpreter=found,
        sqnr_db=None if tried is None else tried.sqnr_db,
    )
