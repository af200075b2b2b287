"""The peer: ONNX Runtime's static quantizer, per channel, uint8 activations and int8 weights.

The graph is prepared first, as its documentation advises.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_static,
)
from onnxruntime.quantization.calibrate import create_calibrator
from onnxruntime.quantization.shape_inference import quant_pre_process
from samples import Samples

METHODS = {
    "minmax": CalibrationMethod.MinMax,
    "percentile": CalibrationMethod.Percentile,
    "entropy": CalibrationMethod.Entropy,
}


class Reader(CalibrationDataReader):  # type: ignore[misc]
    """The samples one a call; by ranges where the quantizer asks for some at a time."""

    def __init__(self, samples: Samples) -> None:
        self.samples = samples
        self.set_range(0, len(samples))

    def __len__(self) -> int:
        return len(self.samples)

    def set_range(self, start_index: int, end_index: int) -> None:
        """Go on with these samples."""
        self.rest = iter(range(start_index, end_index))

    def get_next(self) -> dict[str, np.ndarray] | None:
        """The next sample, or None at the end."""
        index = next(self.rest, None)
        return None if index is None else self.samples[index]


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model")
    parser.add_argument("calibration")
    parser.add_argument("output", help="the quantized model; - ends after the calibration")
    parser.add_argument("--method", choices=METHODS, default="minmax")
    parser.add_argument("--percentile", type=float, default=99.99)
    parser.add_argument("--stride", type=int, help="histograms after every so many samples")
    parser.add_argument("--reduce-range", action="store_true", help="7-bit weights")
    parser.add_argument("--symmetric", action="store_true", help="int8 activations, zero point 0")
    parser.add_argument(
        "--no-symbolic-shapes", action="store_true", help="where inferring these fails"
    )
    parser.add_argument("--ops", type=lambda text: text.split(","), help="these operators only")
    return parser.parse_args()


def main(options: argparse.Namespace, scratch: Path) -> None:
    """Calibrate, and quantize unless told not to."""
    prepared = scratch / "prepared.onnx"
    quant_pre_process(
        options.model,
        prepared,
        auto_merge=True,
        skip_symbolic_shape=options.no_symbolic_shapes,
    )
    reader = Reader(Samples(options.calibration))
    if options.output == "-":
        calibrator = create_calibrator(
            prepared, options.ops, str(scratch / "observed.onnx"), METHODS[options.method]
        )
        calibrator.collect_data(reader)
        calibrator.compute_data()
        return
    settings = {"CalibPercentile": options.percentile, "ActivationSymmetric": options.symmetric}
    if options.stride:
        settings["CalibStridedMinMax"] = options.stride
    quantize_static(
        prepared,
        options.output,
        reader,
        quant_format=QuantFormat.QDQ,
        op_types_to_quantize=options.ops,
        per_channel=True,
        reduce_range=options.reduce_range,
        activation_type=QuantType.QInt8 if options.symmetric else QuantType.QUInt8,
        weight_type=QuantType.QInt8,
        calibrate_method=METHODS[options.method],
        extra_options=settings,
    )


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        main(parse(), Path(folder))
