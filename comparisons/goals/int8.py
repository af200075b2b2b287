"""int8 and 4 bits in ONNX: convolutional nets and transformers."""

from __future__ import annotations

from functools import partial

from figures import at_least, at_most

from goals.listing import by_run, by_test, counted

_int8 = partial(by_run, "convert_int8")
_int8_counted = partial(counted, "convert_int8")

SPOILT = {
    "efficientnet-lite0": "EfficientNet-Lite0",
    "digit-recognizer": "digit-recognizer",
    "facenet-p-net": "facenet's P-Net",
}

INT8 = (
    _int8_counted("int8.sqnr", "default effort, SQNR", at_least(22.8, "dB")),
    _int8_counted("int8.agreement", "default, agreement", at_least(94, "%")),
    _int8_counted("int8.kl", "default, KL", at_most(0.007)),
    _int8("int8.speed", "default, whole convert, times the fastest peer's speed", at_least(2, "x")),
    _int8_counted("int8.sqnr-high", "high, SQNR", at_least(25.1, "dB", "25.3 dB within 0.2")),
    _int8_counted("int8.agreement-high", "high, agreement", at_least(95, "%")),
    _int8_counted("int8.kl-high", "high, KL", at_most(0.004)),
    _int8("int8.time-high", "high, whole convert on one core", at_most(15, "s")),
    _int8(
        "int8.speed-fast",
        "ranges alone (fast), times the speed of onnxruntime's min-max",
        at_least(2.5, "x"),
    ),
    _int8("int8.memory", "default, peak memory over onnxruntime's min-max's", at_most(1, "x")),
    _int8("int8.memory-fast", "fast, peak memory over onnxruntime's min-max's", at_most(1, "x")),
    _int8_counted("int8.sqnr-fast", "fast, SQNR over onnxruntime's min-max's", at_least(0, "dB")),
    _int8("int8.latency", "default, latency over onnxruntime's own int8, paired", at_most(1, "x")),
    _int8(
        "int8.latency-high", "high, latency over onnxruntime's own int8, paired", at_most(1, "x")
    ),
    counted(
        "symmetric",
        "symmetric.sqnr",
        "TensorRT's symmetric rules, high, SQNR",
        at_least(22.4, "dB", "22.6 dB within 0.2"),
    ),
    *(
        counted(
            "spoilt",
            f"spoilt.{key}",
            f"{name}, channels rescaled on purpose: SQNR lost",
            at_most(0.5, "dB"),
        )
        for key, name in SPOILT.items()
    ),
    by_test(
        "int8.scales",
        "every scale in the ONNX file is the manifest's, bit for bit",
        "tests/converters/onnx/test_qdq.py::test_every_scale_in_the_file_is_the_manifests_bit_for_bit",
    ),
    by_test(
        "int8.bytes",
        "the same inputs give the same bytes",
        "tests/converters/onnx/test_qdq.py::test_the_same_inputs_give_the_same_bytes",
    ),
)

TRANSFORMERS = (
    counted("transformer", "minilm.cosine", "MiniLM, int8, default, cosine", at_least(0.998)),
    counted(
        "transformer",
        "minilm.cosine-high",
        "MiniLM, int8, high, cosine",
        at_least(0.9986, aim=".9988 within .0002"),
    ),
    by_run(
        "transformer",
        "minilm.latency",
        "MiniLM, default, latency over float, paired",
        at_most(0.4, "x"),
    ),
    by_run(
        "transformer",
        "minilm.latency-high",
        "MiniLM, high, latency over float, paired",
        at_most(0.4, "x"),
    ),
    counted(
        "int4",
        "int4.gain",
        "4-bit weights, high, SQNR over onnxruntime's round to nearest",
        at_least(3, "dB", "3 dB hoped"),
    ),
    counted(
        "int4",
        "int4.gain-size",
        "4-bit weights, high, SQNR over our own rounding to nearest, at the same file size",
        at_least(3, "dB", "3 dB hoped"),
    ),
)
