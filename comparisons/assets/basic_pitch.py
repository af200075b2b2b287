"""basic-pitch's net as its makers published it: a SavedModel of TensorFlow 2.4, ONNX and TFLite."""

from __future__ import annotations

from collections.abc import Sequence

from delivery import folder_argument, is_complete, staged
from packages import unpack_wheel_members

WHEEL = "basic-pitch==0.4.0"
INSIDE = "basic_pitch/saved_models/icassp_2022/nmp"
FOLDER = "basic_pitch"
"""Of the output folder: ``nmp``, the SavedModel, and beside it ``nmp.onnx`` and ``nmp.tflite``."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Write all three."""
    folder = folder_argument(__doc__, arguments)
    if is_complete(folder, [FOLDER]):
        return
    with staged(folder, [FOLDER]) as scratch:
        variables = scratch / FOLDER / "nmp" / "variables"
        variables.mkdir(parents=True)
        beside = [f"{INSIDE}.onnx", f"{INSIDE}.tflite"]
        unpack_wheel_members(WHEEL, beside, scratch / FOLDER)
        unpack_wheel_members(WHEEL, [f"{INSIDE}/saved_model.pb"], scratch / FOLDER / "nmp")
        unpack_wheel_members(WHEEL, [f"{INSIDE}/variables/"], variables)


if __name__ == "__main__":
    main()
