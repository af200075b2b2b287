"""The C++ that a firmware is built with: the model as an array, and the operators it uses."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from edgeopt.converters.micro.operators import METHODS

_A_LINE = 12

_ARRAY = """// {said}

#include "{header}"

// TFLite Micro reads the model where it lies: aligned, and const, which keeps it in flash.
alignas(16) const unsigned char {name}[] = {{
{bytes}
}};
"""

_HEADER = """// {said}

#ifndef {guard}
#define {guard}

#include <cstddef>

extern const unsigned char {name}[];
constexpr std::size_t {name}_size = {size};
{arena}
#endif  // {guard}
"""

_ARENA = """
// What the model took of the tensor arena in TFLite Micro's own interpreter, on a machine of 64
// bits: pointers are smaller on the device, its kernels' scratch buffers may be larger. Begin
// with this, and let MicroInterpreter::arena_used_bytes() say what the device needs.
constexpr std::size_t {name}_arena_size = {arena};
"""

_NO_ARENA = """
// How large the tensor arena has to be is not known: {reason}
"""

_OPERATORS = """// {said}

#ifndef {guard}
#define {guard}

#include "tensorflow/lite/micro/micro_mutable_op_resolver.h"

// The operators that the model uses and no others, so that no other kernel gets into the firmware.
using {kind} = tflite::MicroMutableOpResolver<{count}>;

inline TfLiteStatus add_{kind}({kind}& resolver) {{
{lines}
  return kTfLiteOk;
}}

#endif  // {guard}
"""


def paths(artifact: Path) -> tuple[Path, Path, Path]:
    """Where an artifact's array, its header and its operators go."""
    stem = artifact.name.removesuffix(".tflite")
    return (
        artifact.with_name(f"{stem}.cc"),
        artifact.with_name(f"{stem}.h"),
        artifact.with_name(f"{stem}.ops.h"),
    )


def array(artifact: Path, content: bytes, said: str) -> str:
    """The ``.cc`` that holds the model.

    Args:
        artifact: The artifact.
        content: Its bytes.
        said: The first line: what it was made of.
    """
    lines = (content[i : i + _A_LINE] for i in range(0, len(content), _A_LINE))
    rows = "\n".join("    " + " ".join(f"0x{byte:02x}," for byte in line) for line in lines)
    header = paths(artifact)[1].name
    return _ARRAY.format(said=said, header=header, name=identifier(artifact), bytes=rows)


def header(artifact: Path, size: int, arena: int | None, reason: str, said: str) -> str:
    """The ``.h`` that declares it.

    Args:
        artifact: The artifact.
        size: Its size in bytes.
        arena: What it takes of the arena, in bytes; None if that isn't known.
        reason: Why it isn't.
        said: The first line: what it was made of.
    """
    name = identifier(artifact)
    told = (
        _NO_ARENA.format(reason=reason) if arena is None else _ARENA.format(name=name, arena=arena)
    )
    return _HEADER.format(said=said, guard=_guard(name, "H"), name=name, size=size, arena=told)


def operators(artifact: Path, codes: Sequence[str], said: str) -> str:
    """The ``.ops.h`` with a resolver of exactly these operators.

    Args:
        artifact: The artifact.
        codes: LiteRT's names, each once.
        said: The first line: what it was made of.
    """
    name = identifier(artifact)
    lines = "\n".join(f"  TF_LITE_ENSURE_STATUS(resolver.{METHODS[code]}());" for code in codes)
    kind = f"ops_{name.removeprefix('g_')}"
    return _OPERATORS.format(
        said=said, guard=_guard(name, "OPS_H"), kind=kind, count=len(codes), lines=lines
    )


def identifier(artifact: Path) -> str:
    """The array's name: ``g_`` and the artifact's, with ``_`` for what C++ doesn't take."""
    return "g_" + re.sub(r"[^A-Za-z0-9]+", "_", artifact.name.removesuffix(".tflite")).strip("_")


def _guard(name: str, end: str) -> str:
    return f"EDGEOPT_{name.removeprefix('g_').upper()}_{end}_"
