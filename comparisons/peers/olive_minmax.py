"""The peer: Olive's static quantization pass, min-max, per channel, as a workflow.

Usage: olive_minmax.py MODEL SAMPLES.npz OUTPUT
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from olive.data.registry import Registry
from olive.workflows import run
from samples import Samples


@Registry.register_dataset("samples")
def samples(path: str) -> Samples:
    """The calibration samples, batch 1 each."""
    return Samples(path)


def workflow(model: str, calibration: str, folder: str) -> dict[str, Any]:
    """The pass at the settings of the other sides: uint8 activations, int8 weights."""
    return {
        "input_model": {"type": "ONNXModel", "model_path": model},
        "systems": {
            "here": {
                "type": "LocalSystem",
                "accelerators": [
                    {"device": "cpu", "execution_providers": ["CPUExecutionProvider"]}
                ],
            }
        },
        "target": "here",
        "data_configs": [
            {
                "name": "calibration",
                "load_dataset_config": {"type": "samples", "params": {"path": calibration}},
                "dataloader_config": {"type": "no_auto_batch_dataloader"},
            }
        ],
        "passes": {
            "quantize": {
                "type": "OnnxStaticQuantization",
                "data_config": "calibration",
                "calibrate_method": "MinMax",
                "per_channel": True,
                "precision": "int8",
                "activation_type": "uint8",
            }
        },
        "cache_dir": f"{folder}/cache",
        "output_dir": f"{folder}/output",
    }


if __name__ == "__main__":
    model, calibration, output = sys.argv[1:4]
    with tempfile.TemporaryDirectory() as folder:
        run(workflow(model, calibration, folder))
        (made,) = Path(folder, "output").rglob("*.onnx")
        shutil.copy(made, output)
