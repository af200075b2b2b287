"""Keras and TensorFlow beside TensorFlow's own converter."""

from __future__ import annotations

from figures import at_least, at_most

from goals.listing import by_run, by_test, counted

KERAS = (
    "MobileNetV2", "EfficientNetB0", "ResNet50", "NASNetMobile", "DenseNet121", "ConvNeXtTiny",
    "MobileNetV3Large", "MobileNetV3Small",
)  # fmt: skip
"""Of keras.applications."""

TENSORFLOW = (
    *(
        figure
        for name in KERAS
        for figure in (
            by_run(
                "keras_models",
                f"keras.{name}.time",
                f"{name}: whole process over TFLiteConverter's, same outcome",
                at_most(1, "x"),
            ),
            counted(
                "keras_models",
                f"keras.{name}.parity",
                f"{name}: float, largest error over the largest answer, ONNX and TFLite",
                at_most(1e-4),
            ),
            counted(
                "keras_models",
                f"keras.{name}.sqnr",
                f"{name}: int8 TFLite, SQNR over TFLiteConverter's",
                at_least(0, "dB"),
            ),
            by_run(
                "keras_models",
                f"keras.{name}.latency-float",
                f"{name}: float, latency over TFLiteConverter's file's, paired",
                at_most(1.05, "x"),
            ),
            by_run(
                "keras_models",
                f"keras.{name}.latency-int8",
                f"{name}: int8, latency over TFLiteConverter's file's, paired",
                at_most(1.05, "x"),
            ),
        )
    ),
    counted("fer", "fer.onnx", "fer's `.hdf5` to ONNX, from the source", at_most(1e-5)),
    counted("fer", "fer.tflite", "fer's `.hdf5` to TFLite, from the source", at_most(1e-5)),
    *(
        counted("basic_pitch", f"basic-pitch.{key}", f"basic-pitch's SavedModel: {what}", goal)
        for key, what, goal in (
            ("published-onnx", "our ONNX from the published one", at_most(1e-5)),
            ("published-tflite", "our TFLite from the published one", at_most(1e-5)),
            ("source-onnx", "our ONNX from TensorFlow", at_most(1e-5)),
            ("source-tflite", "our TFLite from TensorFlow", at_most(1e-5)),
        )
    ),
    by_test(
        "keras.layers",
        "a GRU, an LSTM, a keyword net, a U-Net and a transformer of Keras layers, every file",
        "tests/converters/sources/tensorflow/test_nets.py::test_a_net_becomes_every_file",
    ),
)
