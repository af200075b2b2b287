"""PyTorch models made here: small, real, saved in every way a user might have them."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")


class Evil:
    """A pickle that, loaded, leaves a file behind."""

    def __init__(self, canary: Path) -> None:
        self.canary = canary

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (_touch, (str(self.canary),))


def _touch(path: str) -> dict[str, object]:
    Path(path).touch()
    return {}


@pytest.fixture
def canary(tmp_path: Path) -> Path:
    return tmp_path / "canary"


@pytest.fixture
def evil(canary: Path) -> Evil:
    pickle.loads(pickle.dumps(Evil(canary)))  # it bites
    assert canary.exists()
    canary.unlink()
    return Evil(canary)


@pytest.fixture(scope="session")
def pt2(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Linear with a dynamic batch, a buffer and a constant."""

    class Net(torch.nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.linear = torch.nn.Linear(4, 3)
            self.register_buffer("shift", torch.arange(3.0))

        def forward(self, image):  # type: ignore[no-untyped-def]
            return self.linear(image) + self.shift + torch.tensor([1.0, 2.0, 3.0])

    path = tmp_path_factory.mktemp("pt2") / "net.pt2"
    program = torch.export.export(
        Net().eval(), (torch.ones(2, 4),), dynamic_shapes=({0: torch.export.Dim("batch")},)
    )
    torch.export.save(program, path)
    return path
