"""Every figure that EdgeOpt is held to, by capability; what was reached is in ``reached.json``."""

from __future__ import annotations

from functools import partial

from figures import Figure, Goal, Kind, at_least, at_most

KERAS = (
    "MobileNetV2", "EfficientNetB0", "ResNet50", "NASNetMobile", "DenseNet121", "ConvNeXtTiny",
    "MobileNetV3Large", "MobileNetV3Small",
)  # fmt: skip
"""Of keras.applications."""

TFLITE = {
    "efficientnet_lite0": "EfficientNet-Lite0",
    "mobilenet_v2": "MobileNetV2",
    "resnet18": "ResNet18",
    "small-unet": "a U-Net",
}
SPOILT = {
    "efficientnet-lite0": "EfficientNet-Lite0",
    "digit-recognizer": "digit-recognizer",
    "facenet-p-net": "facenet's P-Net",
}
ENGINES = ("fp32", "fp16", "int8")


def _by_run(
    section: str, key: str, what: str, goal: Goal | None = None, kind: Kind = Kind.MEASURED
) -> Figure:
    return Figure(key, what, goal, section, f"comparisons/run.py {section}", kind)


def _by_test(key: str, what: str, test: str, kind: Kind = Kind.TESTED) -> Figure:
    return Figure(key, what, at_least(1, aim="holds"), "laws", f"pytest {test}", kind)


_counted = partial(_by_run, kind=Kind.COUNTED)
_calibrate = partial(_by_run, "calibrate")
_int8 = partial(_by_run, "convert_int8")
_int8_counted = partial(_counted, "convert_int8")
_tflite = partial(_by_run, "tflite")
_nets = partial(_by_run, "tflite_nets")

START = (
    _by_run("help_time", "start.help", "`edgeopt --help`, whole process", at_most(0.15, "s")),
    _by_test(
        "start.light",
        "no numpy, onnx, torch or tensorflow is loaded for it",
        "tests/cli/test_help.py::test_help_imports_nothing_heavy",
    ),
    *(
        _by_run(
            "export_pt2",
            f"pt2.{key}",
            f"`.pt2` of {name} to verified fp32 ONNX, over a bare export",
            at_most(1.3, "x"),
        )
        for key, name in (("efficientnet", "EfficientNet-Lite0"), ("example", "the example"))
    ),
)

EXAMPLE = (
    _counted(
        "example",
        "example.accuracy",
        "the example: top-1 of float, 2,000 pictures",
        at_least(91, "%"),
    ),
    _counted(
        "example", "example.agreement", "the example: int8 agrees with float", at_least(99, "%")
    ),
    _counted("example", "example.sqnr", "the example: int8, SQNR", at_least(20, "dB")),
    _by_run(
        "example",
        "example.latency",
        "the example: int8 over float, latency, VNNI",
        at_most(0.7, "x"),
    ),
    *(
        _counted("models", f"models.{key}", f"{name}, int8, SQNR of its worst output")
        for key, name in (
            ("silero-vad", "silero-vad"),
            ("facenet-p-net", "facenet's P-Net"),
            ("digit-recognizer", "digit-recognizer"),
        )
    ),
    _counted(
        "models",
        "models.preprocessing",
        "digit-recognizer: top-1 lost by a wrong preprocessing shows in the evaluation, points",
        at_least(1),
    ),
)

CALIBRATION = (
    _calibrate("calibrate.default", "`edgeopt calibrate`, over plain inference", at_most(1.6, "x")),
    _calibrate(
        "calibrate.fast",
        "`edgeopt calibrate --effort fast`, over plain inference",
        at_most(1.1, "x"),
    ),
    _calibrate(
        "calibrate.exact", "`edgeopt calibrate --exact`, over plain inference", at_most(5, "x")
    ),
    _calibrate("calibrate.memory", "`edgeopt calibrate`, peak memory", at_most(200, "MB")),
    _calibrate(
        "calibrate.memory-fast",
        "`edgeopt calibrate --effort fast`, peak memory",
        at_most(200, "MB"),
    ),
    *(
        _by_run("growth", f"growth.{key}{name}", f"{what}, memory a sample, {counts}", goal)
        for name, what, goal in (
            ("default", "`edgeopt calibrate`", at_most(2, "kB")),
            ("fast", "`edgeopt calibrate --effort fast`", at_most(2, "kB")),
            ("exact", "`edgeopt calibrate --exact`", at_most(2, "kB")),
            ("convert", "`edgeopt convert`", None),
        )
        for key, counts, goal in (
            ("", "32 to 4,096", goal),
            ("full.", "512 to 4,096 (buffers full)", None),
        )
    ),
    _by_test(
        "tables.merge",
        "merging tables is associative and commutative, and gives the whole's",
        "tests/calibration/test_table.py::test_merging_is_associative_commutative_and_whole",
    ),
    _by_test(
        "tables.shards",
        "shards merge to the whole bit for bit",
        "tests/calibration/test_observer.py::test_shards_merge_to_the_whole_bit_for_bit",
    ),
    _by_test(
        "tables.order",
        "neither order nor threads change a bit",
        "tests/pipeline/test_calibrate.py::test_neither_order_nor_threads_change_a_bit",
    ),
    _by_test(
        "tables.killed",
        "killed in the middle, it goes on to the same table",
        "tests/pipeline/test_calibrate.py::test_killed_in_the_middle_it_goes_on_to_the_same_table",
    ),
    _by_test(
        "ranges.entropy",
        "entropy differs from min-max on a heavy tail",
        "tests/calibration/test_ranges.py::test_entropy_differs_from_min_max_on_a_heavy_tail",
    ),
)

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
    _counted(
        "symmetric",
        "symmetric.sqnr",
        "TensorRT's symmetric rules, high, SQNR",
        at_least(22.4, "dB", "22.6 dB within 0.2"),
    ),
    *(
        _counted(
            "spoilt",
            f"spoilt.{key}",
            f"{name}, channels rescaled on purpose: SQNR lost",
            at_most(0.5, "dB"),
        )
        for key, name in SPOILT.items()
    ),
    _by_test(
        "int8.scales",
        "every scale in the ONNX file is the manifest's, bit for bit",
        "tests/converters/onnx/test_qdq.py::test_every_scale_in_the_file_is_the_manifests_bit_for_bit",
    ),
    _by_test(
        "int8.bytes",
        "the same inputs give the same bytes",
        "tests/converters/onnx/test_qdq.py::test_the_same_inputs_give_the_same_bytes",
    ),
)

TRANSFORMERS = (
    _counted("transformer", "minilm.cosine", "MiniLM, int8, default, cosine", at_least(0.998)),
    _counted(
        "transformer",
        "minilm.cosine-high",
        "MiniLM, int8, high, cosine",
        at_least(0.9986, aim=".9988 within .0002"),
    ),
    _by_run(
        "transformer",
        "minilm.latency",
        "MiniLM, default, latency over float, paired",
        at_most(0.4, "x"),
    ),
    _by_run(
        "transformer",
        "minilm.latency-high",
        "MiniLM, high, latency over float, paired",
        at_most(0.4, "x"),
    ),
    _counted(
        "int4",
        "int4.gain",
        "4-bit weights, high, SQNR over onnxruntime's round to nearest",
        at_least(3, "dB", "3 dB hoped"),
    ),
    _counted(
        "int4",
        "int4.gain-size",
        "4-bit weights, high, SQNR over our own rounding to nearest, at the same file size",
        at_least(3, "dB", "3 dB hoped"),
    ),
)

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
    _by_run(
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
        _by_run(
            "tflite_transformer",
            f"tflite.latency.minilm.{key}",
            f"MiniLM, {name}: latency over the official file's, paired",
            at_most(1.02, "x"),
        )
        for key, name in (("float", "float"), ("dynamic", "int8-dynamic"))
    ),
    *(
        _counted(
            "tflite_nets",
            f"tflite.size.{key}.{kind}",
            f"{name}, {kind}: size over the official file's",
            at_most(1.02, "x"),
        )
        for key, name in TFLITE.items()
        for kind in ("float", "int8")
    ),
    *(
        _counted(
            "tflite_transformer",
            f"tflite.size.minilm.{key}",
            f"MiniLM, {name}: size over the official file's",
            at_most(1.02, "x"),
        )
        for key, name in (("float", "float"), ("dynamic", "int8-dynamic"))
    ),
    *(
        _counted("tflite_architectures", f"tflite.{key}", what, goal)
        for key, what, goal in (
            ("architectures", "architectures that compile and agree within 1e-5", at_least(40)),
            ("partitions", "classifiers of more than one partition, float", at_most(0)),
            ("transposes", "convolutional nets with a TRANSPOSE inside", at_most(0)),
        )
    ),
    *(
        _counted("tflite_integers", f"tflite.{key}", what, goal)
        for key, what, goal in (
            ("beside-onnx", "nets whose int8 is over 0.5 dB below their int8 ONNX", at_most(0)),
            (
                "partitions-int8",
                "int8 classifiers without GELU and layer norms, of more than one partition",
                at_most(0),
            ),
        )
    ),
    _counted("tflite_node_tests", "tflite.nodes", "ONNX's node tests that are wrong", at_most(0)),
    _counted(
        "tflite_emulation",
        "tflite.emulation",
        "int8 scores of two nets that differ from XNNPACK's arithmetic",
        at_most(0),
    ),
    _by_test(
        "tflite.scales",
        "every scale read back from the flatbuffer is the manifest's, bit for bit",
        "tests/converters/tflite/test_precisions.py::test_every_scale_in_the_file_is_the_manifests_bit_for_bit",
    ),
    _by_test(
        "tflite.bytes",
        "the same conversion gives the same bytes",
        "tests/converters/tflite/test_precisions.py::test_the_same_conversion_gives_the_same_bytes",
    ),
)

TENSORFLOW = (
    *(
        figure
        for name in KERAS
        for figure in (
            _by_run(
                "keras_models",
                f"keras.{name}.time",
                f"{name}: whole process over TFLiteConverter's, same outcome",
                at_most(1, "x"),
            ),
            _counted(
                "keras_models",
                f"keras.{name}.parity",
                f"{name}: float, largest error over the largest answer, ONNX and TFLite",
                at_most(1e-4),
            ),
            _counted(
                "keras_models",
                f"keras.{name}.sqnr",
                f"{name}: int8 TFLite, SQNR over TFLiteConverter's",
                at_least(0, "dB"),
            ),
            _by_run(
                "keras_models",
                f"keras.{name}.latency-float",
                f"{name}: float, latency over TFLiteConverter's file's, paired",
                at_most(1.05, "x"),
            ),
            _by_run(
                "keras_models",
                f"keras.{name}.latency-int8",
                f"{name}: int8, latency over TFLiteConverter's file's, paired",
                at_most(1.05, "x"),
            ),
        )
    ),
    _counted("fer", "fer.onnx", "fer's `.hdf5` to ONNX, from the source", at_most(1e-5)),
    _counted("fer", "fer.tflite", "fer's `.hdf5` to TFLite, from the source", at_most(1e-5)),
    *(
        _counted("basic_pitch", f"basic-pitch.{key}", f"basic-pitch's SavedModel: {what}", goal)
        for key, what, goal in (
            ("published-onnx", "our ONNX from the published one", at_most(1e-5)),
            ("published-tflite", "our TFLite from the published one", at_most(1e-5)),
            ("source-onnx", "our ONNX from TensorFlow", at_most(1e-5)),
            ("source-tflite", "our TFLite from TensorFlow", at_most(1e-5)),
        )
    ),
    _by_test(
        "keras.layers",
        "a GRU, an LSTM, a keyword net, a U-Net and a transformer of Keras layers, every file",
        "tests/converters/sources/tensorflow/test_nets.py::test_a_net_becomes_every_file",
    ),
)

TENSORRT = (
    *(
        _by_run(
            "tensorrt",
            f"tensorrt.prepare.{precision}",
            f"preparing EfficientNet-Lite0, {precision}",
            at_most(1, "s"),
        )
        for precision in ENGINES
    ),
    *(
        _by_run(
            "tensorrt",
            f"tensorrt.build.{precision}",
            f"building, {precision}, over parsing and building alone",
            at_most(1.2, "x"),
        )
        for precision in ENGINES
    ),
    *(
        _by_run(
            "tensorrt",
            f"tensorrt.asked.{precision}",
            f"building, {precision}, with the process that asks for it, over the same",
            at_most(1.2, "x"),
        )
        for precision in ENGINES
    ),
    _by_test(
        "tensorrt.layers",
        "every layer that was planned as int8 is read back as Int8 from the engine",
        "tests/converters/tensorrt/test_engines.py::test_every_layer_that_was_planned_is_integer",
    ),
)

DEVICES = (
    _by_run(
        "devices",
        "devices.reaching",
        "5 MB over ssh, all but the measurement, on an open connection",
        at_most(2, "s"),
    ),
    _by_run(
        "devices", "devices.litert", "timing a LiteRT call, besides the call", at_most(1, "us")
    ),
    _by_run(
        "devices",
        "devices.onnxruntime",
        "timing an ONNX Runtime call, besides the call",
        at_most(1, "us"),
    ),
    _by_test(
        "devices.emulated",
        "on an emulated ARM64 board at most one of 100 predictions differs from the host's",
        "tests/cli/test_emulated_board.py::test_artifacts_answer_there_as_they_do_here",
        Kind.EMULATED,
    ),
)

GATE = (
    *(
        _counted("gate_verdicts", f"gate.{condition}.{arm}", f"{condition}: {what}", goal)
        for condition, least in (("quiet", (95, 97)), ("noisy", (80, 95)))
        for arm, what, goal in (
            ("same", "false alarms on the same net, upper bound", at_most(2, "%")),
            ("faster", "false alarms on a faster net, upper bound", at_most(2, "%")),
            ("slower-5", "slower by 5 %, found, lower bound", at_least(least[0], "%")),
            ("slower-10", "slower by 10 %, found, lower bound", at_least(least[1], "%")),
        )
    ),
    _counted("gate_verdicts", "gate.noisy.pass", "noisy: the same net passes", at_least(80, "%")),
    _counted("gate_verdicts", "gate.quiet.open", "quiet: inconclusive, the worst", at_most(5, "%")),
    _counted(
        "gate_verdicts",
        "gate.verdicts",
        "verdicts that each of these rates is counted on, the fewest",
        at_least(150),
    ),
    _by_run("gate_time", "gate.time", "a verdict on a 1 ms model, the longest", at_most(20, "s")),
)

CAPABILITIES: dict[str, tuple[Figure, ...]] = {
    "Starting, and PyTorch models": START,
    "The example, and models of other makers": EXAMPLE,
    "Calibration: EfficientNet-Lite0, 128 photographs": CALIBRATION,
    "int8 for convolutional nets: EfficientNet-Lite0, 128 photographs": INT8,
    "int8 and 4 bits for transformers: MiniLM, 128 tokens": TRANSFORMERS,
    "TFLite": TFLITE_FILES,
    "Keras and TensorFlow": TENSORFLOW,
    "TensorRT": TENSORRT,
    "Devices": DEVICES,
    "The latency gate": GATE,
}
FIGURES = {figure.key: figure for figures in CAPABILITIES.values() for figure in figures}
