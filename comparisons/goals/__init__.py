"""Every figure that EdgeOpt is held to, by capability; what was reached is in ``reached.json``."""

from __future__ import annotations

from figures import Figure

from goals.calibration import CALIBRATION
from goals.devices import DEVICES
from goals.first_use import EXAMPLE, START
from goals.gate import GATE
from goals.int8 import INT8, TRANSFORMERS
from goals.tensorflow import TENSORFLOW
from goals.tensorrt import TENSORRT
from goals.tflite import TFLITE_FILES

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
