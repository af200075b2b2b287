"""TensorRT: preparing and building engines."""

from __future__ import annotations

from figures import at_most

from goals.listing import by_run, by_test

ENGINES = ("fp32", "fp16", "int8")

TENSORRT = (
    *(
        by_run(
            "tensorrt",
            f"tensorrt.prepare.{precision}",
            f"preparing EfficientNet-Lite0, {precision}",
            at_most(1, "s"),
        )
        for precision in ENGINES
    ),
    *(
        by_run(
            "tensorrt",
            f"tensorrt.build.{precision}",
            f"building, {precision}, over parsing and building alone",
            at_most(1.2, "x"),
        )
        for precision in ENGINES
    ),
    *(
        by_run(
            "tensorrt",
            f"tensorrt.asked.{precision}",
            f"building, {precision}, with the process that asks for it, over the same",
            at_most(1.2, "x"),
        )
        for precision in ENGINES
    ),
    by_test(
        "tensorrt.layers",
        "every layer that was planned as int8 is read back as Int8 from the engine",
        "tests/converters/tensorrt/test_engines.py::test_every_layer_that_was_planned_is_integer",
    ),
)
