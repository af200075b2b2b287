"""Names that tell tensors apart: an ONNX value and the integers made of it would share one."""

from __future__ import annotations

from edgeopt.converters.tflite.model import Model, Tensor


def name_tensors(model: Model) -> dict[Tensor, str]:
    """Give every tensor a name of its own; inputs and outputs keep theirs.

    Ensures that names are unique: one that is taken gets the type after it, and a number if that
    is taken too.

    Returns:
        Each tensor's name before.
    """
    before = {tensor: tensor.name for tensor in model.tensors()}
    taken: set[str] = set()
    for tensor, name in before.items():
        tensor.name = _free(name, tensor.dtype.name, taken)
        taken.add(tensor.name)
    return before


def _free(name: str, kind: str, taken: set[str]) -> str:
    if name not in taken:
        return name
    typed = f"{name}_{kind}"
    number, free = 2, typed
    while free in taken:
        number, free = number + 1, f"{typed}_{number}"
    return free
