"""TFLite files beside those of the official ways."""

from __future__ import annotations

from functools import partial

from figures import at_least, at_most

from goals.listing import by_run, by_test, counted

_tflite = partial(by_run, "tflite")
_nets = partial(by_run, "tflite_nets")

TFLITE = {
    "efficientnet_lite0": "EfficientNet-Lite0",
    "mobilenet_v2": "MobileNetV2",
    "resnet18": "ResNet18",
    "small-unet": "a U-Net",
}

TFLITE_FILES = (
    _tflite("tflite.time", "EfficientNet-Lite0 to int8, fast, whole convert", at_most(1.5, "s")),
    _tflite(
        "tflite.speed",
        "EfficientNet-Lite0 to int8, fast, times the speed of the fastest official way",
        at_least(6, "x"),
    ),
    _tflite(
        "tflite.speed-default",
        "EfficientNet-Lite0 to int8, default, times the speed of the fastest official way",
    ),
    by_run(
        "tflite_writing",
        "tflite.writing",
        "EfficientNet-Lite0, int8: compile and write alone",
        at_most(0.1, "s"),
    ),
    *(
        _nets(
            f"tflite.latency.{key}.{kind}",
            f"{name}, {kind}: latency over the official file's, paired",
            at_most(1.02, "x"),
        )
        for key, name in TFLITE.items()
        for kind in ("float", "int8")
    ),
    *(
        by_run(
            "tflite_transformer",
            f"tflite.latency.minilm.{key}",
            f"MiniLM, {name}: latency over the official file's, paired",
            at_most(1.02, "x"),
        )
        for key, name in (("float", "float"), ("dynamic", "int8-dynamic"))
    ),
    *(
        counted(
            "tflite_nets",
            f"tflite.size.{key}.{kind}",
            f"{name}, {kind}: size over the official file's",
            at_most(1.02, "x"),
        )
        for key, name in TFLITE.items()
        for kind in ("float", "int8")
    ),
    *(
        counted(
            "tflite_transformer",
            f"tflite.size.minilm.{key}",
            f"MiniLM, {name}: size over the official file's",
            at_most(1.02, "x"),
        )
        for key, name in (("float", "float"), ("dynamic", "int8-dynamic"))
    ),
    *(
        counted("tflite_architectures", f"tflite.{key}", what, goal)
        for key, what, goal in (
            ("architectures", "architectures that compile and agree within 1e-5", at_least(40)),
            ("partitions", "classifiers of more than one partition, float", at_most(0)),
            ("transposes", "convolutional nets with a TRANSPOSE inside", at_most(0)),
        )
    ),
    *(
        counted("tflite_integers", f"tflite.{key}", what, goal)
        for key, what, goal in (
            ("beside-onnx", "nets whose int8 is over 0.5 dB below their int8 ONNX", at_most(0)),
            (
                "partitions-int8",
                "int8 classifiers without GELU and layer norms, of more than one partition",
                at_most(0),
            ),
        )
    ),
    counted("tflite_node_tests", "tflite.nodes", "ONNX's node tests that are wrong", at_most(0)),
    counted(
        "tflite_emulation",
        "tflite.emulation",
        "int8 scores of two nets that differ from XNNPACK's arithmetic",
        at_most(0),
    ),
    by_test(
        "tflite.scales",
        "every scale read back from the flatbuffer is the manifest's, bit for bit",
        "tests/converters/tflite/test_precisions.py::test_every_scale_in_the_file_is_the_manifests_bit_for_bit",
    ),
    by_test(
        "tflite.bytes",
        "the same conversion gives the same bytes",
        "tests/converters/tflite/test_precisions.py::test_the_same_conversion_gives_the_same_bytes",
    ),
)
