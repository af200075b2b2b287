"""What a program's outputs are called, and that its answers don't depend on the cores."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import edgeopt

torch = pytest.importorskip("torch")


def test_one_thread_computes_and_then_as_many_as_before() -> None:
    from edgeopt.converters.sources.exported import running
    from edgeopt.core.errors import DataError

    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with running("net"):
            assert torch.get_num_threads() == 1
        assert torch.get_num_threads() == 2
        with pytest.raises(DataError), running("net"):
            raise RuntimeError("a sample")
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


class Returning(torch.nn.Module):  # type: ignore[misc, name-defined]
    """Gives what a function makes of x."""

    def __init__(self, made: Any) -> None:
        super().__init__()
        self.made = made

    def forward(self, x: Any) -> Any:
        return self.made(x)


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (lambda x: {"out": x + 1, "aux": x * 2}, ["out", "aux"]),
        (lambda x: {"boxes": {"deep": [x + 1, x * 2]}}, ["boxes.deep.0", "boxes.deep.1"]),
        (lambda x: {"a b": x + 1, "1": x * 2}, ["add", "mul"]),
        (lambda x: {"a.b": x + 1, "a": {"b": x * 2}}, ["add", "mul"]),
        (lambda x: (x + 1, x * 2), ["add", "mul"]),
        (lambda x: x + 1, ["add"]),
    ],
    ids=["a dictionary", "nested", "no names", "alike", "a tuple", "a tensor"],
)
def test_outputs_are_called_as_the_model_calls_them(
    tmp_path: Path, made: Any, expected: list[str]
) -> None:
    program = torch.export.export(Returning(made).eval(), (torch.ones(1, 3),))
    torch.export.save(program, tmp_path / "net.pt2")
    (artifact,) = edgeopt.convert(tmp_path / "net.pt2", output=tmp_path / "out").artifacts
    assert [output.name for output in artifact.manifest.outputs] == expected
