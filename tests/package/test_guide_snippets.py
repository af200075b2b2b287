"""The guide's Python is run as it is shown, in one folder, each page with what the last one made.

Only how long is measured is shortened, and the bucket of a page is a folder in memory.
"""

from __future__ import annotations

import functools
import re
from pathlib import Path
from typing import Any

import pytest
import torch

import edgeopt

GUIDE = Path(__file__).parents[2] / "docs" / "guide"
FENCE = re.compile(r"^```python\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL)

RUN = {
    "getting-started": 1,
    "data": 2,
    "python": 3,
    "diagnose": 1,
    "validate": 1,
    "compare": 3,
}
"""How many snippets each page has."""

ELSEWHERE = {"ci"}
"""Its snippet is a test for pytest, and ``tests/integrations/pytest`` runs its like."""


class Net(torch.nn.Module):  # type: ignore[misc] # PyTorch is not typed here
    """(N, 3, H, W) to (N, 10)."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = torch.nn.Conv2d(3, 8, 3, stride=8)
        self.fc = torch.nn.Linear(8, 10)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Scores."""
        return self.fc(torch.relu(self.conv(image)).mean((2, 3)))


def snippets(page: str) -> list[str]:
    return [m["code"] for m in FENCE.finditer((GUIDE / f"{page}.md").read_text("utf-8"))]


def run(page: str, names: dict[str, Any]) -> None:
    for code in snippets(page):
        exec(compile(code.replace("s3://", "memory://"), page, "exec"), names)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where a user stands; what is measured there takes a moment."""
    monkeypatch.chdir(tmp_path)
    benchmark = functools.partial(edgeopt.benchmark, duration=0.05, processes=2)
    compare = functools.partial(edgeopt.compare, duration=0.05, max_processes=5)
    monkeypatch.setattr(edgeopt, "benchmark", benchmark, raising=False)
    monkeypatch.setattr(edgeopt, "compare", compare, raising=False)
    return tmp_path


def test_every_page_with_python_is_run() -> None:
    pages = {path.stem: len(snippets(path.stem)) for path in GUIDE.glob("*.md")}
    assert {page: count for page, count in pages.items() if count and page not in ELSEWHERE} == RUN


@pytest.mark.slow
def test_python_that_is_shown_runs(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import numpy as np

    torch.manual_seed(0)
    images = torch.rand(24, 3, 224, 224)
    model = Net().eval()
    names: dict[str, Any] = {"model": model, "images": images}
    run("getting-started", names)
    (folder / "net.pt2").rename("model.pt2")
    (folder / "samples.npz").rename("calibration.npz")

    unseen = torch.rand(16, 3, 224, 224)
    classes = model(unseen).argmax(1).numpy()
    (folder / "clips").mkdir()
    for label, clip in enumerate(unseen.numpy()):
        np.save(folder / "clips" / f"clip_{label}.npy", clip)
    names = {"np": np, "Path": Path, "images": unseen.numpy(), "classes": classes}
    run("data", names)
    assert {sample["labels"] for sample in names["samples"]()} == set(range(16))

    names = {"module": model, "samples": lambda: ({"image": image} for image in images.numpy())}
    run("python", names)
    assert [path.name for path in sorted((folder / "out").glob("*.onnx"))] == [
        "model.fp32.onnx", "model.int8.onnx", "net.int8.onnx",
    ]  # fmt: skip

    run("diagnose", {})
    run("validate", names)
    assert names["found"].level != "fail"
    (folder / "baseline.onnx").write_bytes((folder / "out" / "model.int8.onnx").read_bytes())
    capsys.readouterr()
    run("compare", {})
    said = capsys.readouterr().out
    assert "['main']" in said
