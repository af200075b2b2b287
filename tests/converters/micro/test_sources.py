"""The C++ of a firmware, by a real compiler."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from edgeopt.converters.micro import sources
from edgeopt.converters.micro.operators import METHODS

COMPILER = shutil.which("c++")

# A STAND-IN for TFLite Micro's own header: its class has these methods and this size.
RESOLVER = """
#pragma once
#include <cstdio>
enum TfLiteStatus { kTfLiteOk = 0, kTfLiteError = 1 };
#define TF_LITE_ENSURE_STATUS(a) do { if ((a) != kTfLiteOk) return kTfLiteError; } while (0)
namespace tflite {
template <unsigned int N> class MicroMutableOpResolver {
 public:
  unsigned int count = 0;
  TfLiteStatus add(const char* name) {
    if (count++ >= N) return kTfLiteError;
    std::puts(name);
    return kTfLiteOk;
  }
METHODS
};
}
"""

MAIN = """
#include <cstdint>
#include <cstdio>
#include "net.int8.h"
#include "net.int8.ops.h"
int main() {
  ops_net_int8 resolver;
  if (add_ops_net_int8(resolver) != kTfLiteOk) return 1;
  if (reinterpret_cast<std::uintptr_t>(g_net_int8) % 16 != 0) return 2;
  std::printf("%zu %zu\\n", g_net_int8_size, g_net_int8_arena_size);
  std::fwrite(g_net_int8, 1, g_net_int8_size, stderr);
}
"""


@pytest.mark.skipif(COMPILER is None, reason="there is no C++ compiler here")
def test_a_compiler_takes_them_and_finds_the_model_in_them(tmp_path: Path) -> None:
    content = bytes(range(256)) * 3 + b"end"
    artifact = tmp_path / "net.int8.tflite"
    array, header, operators = sources.paths(artifact)
    assert [p.name for p in (array, header, operators)] == [
        *("net.int8.cc", "net.int8.h", "net.int8.ops.h"),
    ]
    array.write_text(sources.array(artifact, content, "Made"))
    header.write_text(sources.header(artifact, len(content), 4096, "", "Made"))
    operators.write_text(sources.operators(artifact, ["ADD", "CONV_2D"], "Made"))
    folder = tmp_path / "tensorflow/lite/micro"
    folder.mkdir(parents=True)
    methods = "\n".join(
        f'  TfLiteStatus {method}() {{ return add("{method}"); }}' for method in METHODS.values()
    )
    (folder / "micro_mutable_op_resolver.h").write_text(RESOLVER.replace("METHODS", methods))
    (tmp_path / "main.cc").write_text(MAIN)
    assert COMPILER is not None
    command = [
        COMPILER,
        "-std=c++17",
        "-Wall",
        "-Werror",
        "-I.",
        "-o",
        "out",
        "main.cc",
        array.name,
    ]
    subprocess.run(command, cwd=tmp_path, check=True)
    ran = subprocess.run([tmp_path / "out"], capture_output=True, check=True)
    assert ran.stdout.decode().split() == ["AddAdd", "AddConv2D", str(len(content)), "4096"]
    assert ran.stderr == content


def test_an_arena_that_is_not_known_is_said(tmp_path: Path) -> None:
    text = sources.header(tmp_path / "net.tflite", 5, None, "nobody measured", "Made")
    assert "nobody measured" in text
    assert "arena_size" not in text


def test_a_name_that_cpp_does_not_take() -> None:
    assert sources.identifier(Path("my net-2.int8.tflite")) == "g_my_net_2_int8"
    assert sources.identifier(Path("3d.tflite")) == "g_3d"
