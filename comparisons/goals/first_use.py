"""What a newcomer meets: the start, the example, models of other makers."""

from __future__ import annotations

from figures import at_least, at_most

from goals.listing import by_run, by_test, counted

START = (
    by_run("help_time", "start.help", "`edgeopt --help`, whole process", at_most(0.15, "s")),
    by_test(
        "start.light",
        "no numpy, onnx, torch or tensorflow is loaded for it",
        "tests/cli/test_help.py::test_help_imports_nothing_heavy",
    ),
    *(
        by_run(
            "export_pt2",
            f"pt2.{key}",
            f"`.pt2` of {name} to verified fp32 ONNX, over a bare export",
            at_most(1.3, "x"),
        )
        for key, name in (("efficientnet", "EfficientNet-Lite0"), ("example", "the example"))
    ),
)

EXAMPLE = (
    counted(
        "example",
        "example.accuracy",
        "the example: top-1 of float, 2,000 pictures",
        at_least(91, "%"),
    ),
    counted(
        "example", "example.agreement", "the example: int8 agrees with float", at_least(99, "%")
    ),
    counted("example", "example.sqnr", "the example: int8, SQNR", at_least(20, "dB")),
    by_run(
        "example",
        "example.latency",
        "the example: int8 over float, latency, VNNI",
        at_most(0.7, "x"),
    ),
    *(
        counted("models", f"models.{key}", f"{name}, int8, SQNR of its worst output")
        for key, name in (
            ("silero-vad", "silero-vad"),
            ("facenet-p-net", "facenet's P-Net"),
            ("digit-recognizer", "digit-recognizer"),
        )
    ),
    counted(
        "models",
        "models.preprocessing",
        "digit-recognizer: top-1 lost by a wrong preprocessing shows in the evaluation, points",
        at_least(1),
    ),
)
