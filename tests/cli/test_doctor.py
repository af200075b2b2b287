"""``edgeopt doctor`` as a user runs it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from edgeopt.pipeline.packages import Package, PackageState, State

Run = Callable[..., Any]


@pytest.fixture
def without(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """Some packages are missing, by pytest's parameter; none is imported."""
    missing: tuple[str, ...] = request.param

    def check(packages: Sequence[Package], **_: object) -> tuple[PackageState, ...]:
        return tuple(
            PackageState(
                name=p.distribution,
                extra=p.extra,
                state=State.MISSING if p.distribution in missing else State.OK,
                version=None if p.distribution in missing else "1.0",
                install=p.install if p.distribution in missing else None,
            )
            for p in packages
        )

    monkeypatch.setattr("edgeopt.pipeline.doctor.check_packages", check)


@pytest.mark.parametrize("without", [()], indirect=True)
@pytest.mark.usefixtures("without")
def test_all_is_well(run: Run) -> None:
    ran = run("doctor")
    assert ran.code == 0
    assert "Everything that EdgeOpt can't do without is here." in ran.out
    assert "makes   onnx fp32, onnx fp16, onnx int8" in ran.out
    assert "pip install" not in ran.out


@pytest.mark.parametrize("without", [("torch", "onnxscript", "tensorflow")], indirect=True)
@pytest.mark.usefixtures("without")
def test_an_extra_that_is_missing_is_no_fault(run: Run) -> None:
    ran = run("doctor")
    assert ran.code == 0
    assert "missing: pip install 'edgeopt[torch]'" in ran.out
    assert "reads   onnx\n" in ran.out
    assert "pt2, torchscript, module after: pip install 'edgeopt[torch]'" in ran.out
    assert "keras, saved-model, keras-model after: pip install 'edgeopt[tensorflow]'" in ran.out


@pytest.mark.parametrize("without", [("onnxruntime",)], indirect=True)
@pytest.mark.usefixtures("without")
def test_a_core_package_that_is_missing_is_one(run: Run) -> None:
    ran = run("doctor")
    assert ran.code == 3
    assert "missing: pip install 'onnxruntime>=" in ran.out
    assert "EdgeOpt can't work here" in ran.out
    found = run("doctor", "--json")
    assert found.code == 3
    assert found.json["healthy"] is False
    assert not any(c["available"] for c in found.json["outputs"])
