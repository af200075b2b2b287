"""How long it takes to prepare a model for TensorRT once it is calibrated, in s for each precision.

Usage: tensorrt_prepare.py MODEL.onnx CALIBRATION.npz FOLDER

Writes the prepared models to FOLDER and prints a line of JSON: the seconds of the best of three,
and apart those with the corrections that ``--effort default`` makes with data.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from edgeopt.converters.tensorrt.prepare import prepare_fp16, prepare_fp32, prepare_int8
from edgeopt.converters.writer import WriteRequest
from edgeopt.core.effort import Effort
from edgeopt.core.onnx_file import save_whole
from edgeopt.pipeline.calibrated import Calibrated
from edgeopt.pipeline.given import GivenModel
from edgeopt.pipeline.observation import Share
from edgeopt.pipeline.preparation import Preparation
from edgeopt.targets import load_target

ROUNDS = 3


def main(model: str, calibration: str, folder: Path) -> dict[str, float]:
    """Prepare each precision, and give the seconds that took."""
    with tempfile.TemporaryDirectory() as scratch:
        prepared = Preparation(GivenModel(model), Path(scratch))
        data = prepared.dataset(calibration)
        share = Share(data, 0, len(data))
        found = Calibrated(prepared, share, None, None, None, lambda *_: None)
        plain = WriteRequest(
            prepared.graph, load_target("rtx-4090"), folder / "x.engine", Path(scratch)
        )
        fast = replace(plain, table=found.table, ranges=found.ranges, effort=Effort.FAST)
        whole = replace(fast, effort=Effort.DEFAULT, samples=found.samples)
        jobs = {
            "fp32": (prepare_fp32, plain),
            "fp16": (prepare_fp16, plain),
            "int8": (prepare_int8, fast),
            "int8, corrections too": (prepare_int8, whole),
        }
        seconds = {}
        for name, (prepare, request) in jobs.items():
            each = []
            for _ in range(ROUNDS):
                start = time.perf_counter()
                made = prepare(request)
                save_whole(made.model, folder / f"{name.partition(',')[0]}.onnx")
                each.append(time.perf_counter() - start)
            seconds[name] = min(each)
    return seconds


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))))
