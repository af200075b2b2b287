"""The sides of the comparisons on EfficientNet-Lite0: EdgeOpt's efforts, and its peers."""

from __future__ import annotations

from pathlib import Path

from contenders import Contender, Task

_CONVERT = "edgeopt convert {model} --precision int8 --calibration {calibration} --no-verify"
_CALIBRATE = "edgeopt calibrate {model} --calibration {calibration} -o {out}/model.table.npz"
_ORT = "python {peers}/onnxruntime_static.py {model} {calibration} {out}/model.onnx"
_MODELOPT = "python {peers}/modelopt_quantize.py {model} {calibration} {out}/model.onnx int8"

CALIBRATIONS = (
    Contender("edgeopt calibrate, fast", f"{_CALIBRATE} --effort fast"),
    Contender("edgeopt calibrate", _CALIBRATE),
    Contender("edgeopt calibrate, exact", f"{_CALIBRATE} --exact"),
)
"""Observing alone: what they make is a table."""

OBSERVATIONS = (
    Contender(
        "onnxruntime, min-max, calibration alone",
        "python {peers}/onnxruntime_static.py {model} {calibration} -",
        "onnxruntime",
    ),
)
"""Peers whose calibration can be run without the rest."""

FAST, DEFAULT, HIGH, SEVEN_BITS = (
    Contender("edgeopt, fast", f"{_CONVERT} --effort fast -o {{out}}"),
    Contender("edgeopt, default", f"{_CONVERT} -o {{out}}"),
    Contender("edgeopt, high", f"{_CONVERT} --effort high -o {{out}}"),
    Contender("edgeopt, default, 7-bit weights", f"{_CONVERT} --target x86-64 -o {{out}}"),
)

ORT_MINMAX = Contender("onnxruntime, min-max", _ORT, "onnxruntime")
ORT_SEVEN_BITS = Contender(
    "onnxruntime, min-max, 7-bit weights", f"{_ORT} --reduce-range", "onnxruntime"
)
MODELOPT = (
    Contender("modelopt, max", f"{_MODELOPT} max", "modelopt"),
    Contender("modelopt, entropy", f"{_MODELOPT} entropy", "modelopt"),
)
ORT_PERCENTILE = Contender(
    "onnxruntime, percentile 99.99", f"{_ORT} --method percentile --stride 1", "onnxruntime"
)
ORT_DEFAULT_PERCENTILE = Contender(
    "onnxruntime, percentile 99.999",
    f"{_ORT} --method percentile --percentile 99.999 --stride 1",
    "onnxruntime",
)
ORT_WHOLE_PERCENTILE = Contender(
    "onnxruntime, percentile 99.99, at once", f"{_ORT} --method percentile", "onnxruntime"
)
"""The quantizer's own default: all samples' tensors are in memory at once."""
OLIVE = Contender(
    "olive, min-max",
    "python {peers}/olive_minmax.py {model} {calibration} {out}/model.onnx",
    "olive",
)
_NNCF = "python {peers}/nncf_int8.py {model} {calibration} {out}/model.onnx"
NNCF = Contender("nncf", _NNCF, "nncf")
PEERS = (
    ORT_MINMAX,
    ORT_PERCENTILE,
    ORT_DEFAULT_PERCENTILE,
    Contender("onnxruntime, entropy", f"{_ORT} --method entropy --stride 1", "onnxruntime"),
    OLIVE,
    NNCF,
    Contender("nncf, accurate bias correction", f"{_NNCF} --accurate", "nncf"),
    *MODELOPT,
)

_SYMMETRIC = f"{_CONVERT} --target {{here}}/tensorrt_rules.toml"
SYMMETRIC = (
    Contender("edgeopt, fast, symmetric", f"{_SYMMETRIC} --effort fast -o {{out}}"),
    Contender("edgeopt, default, symmetric", f"{_SYMMETRIC} -o {{out}}"),
    Contender("edgeopt, high, symmetric", f"{_SYMMETRIC} --effort high -o {{out}}"),
    Contender("onnxruntime, min-max, symmetric", f"{_ORT} --symmetric", "onnxruntime"),
    *MODELOPT,
)
"""All at TensorRT's rules: int8, zero point 0, weights per channel."""


def efficientnet(assets: Path) -> Task:
    """The task: EfficientNet-Lite0 and 128 photographs; 512 crops of others are held out."""
    return Task(
        "efficientnet_lite0",
        assets / "efficientnet_lite0.onnx",
        assets / "efficientnet_lite0_calibration.npz",
        assets / "efficientnet_lite0_heldout.npz",
        assets / "efficientnet_lite0_composed.npz",
    )
