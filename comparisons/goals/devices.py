"""What measuring on devices costs."""

from __future__ import annotations

from figures import Kind, at_most

from goals.listing import by_run, by_test

DEVICES = (
    by_run(
        "devices",
        "devices.reaching",
        "5 MB over ssh, all but the measurement, on an open connection",
        at_most(2, "s"),
    ),
    by_run("devices", "devices.litert", "timing a LiteRT call, besides the call", at_most(1, "us")),
    by_run(
        "devices",
        "devices.onnxruntime",
        "timing an ONNX Runtime call, besides the call",
        at_most(1, "us"),
    ),
    by_test(
        "devices.emulated",
        "on an emulated ARM64 board at most one of 100 predictions differs from the host's",
        "tests/cli/test_emulated_board.py::test_artifacts_answer_there_as_they_do_here",
        Kind.EMULATED,
    ),
)
