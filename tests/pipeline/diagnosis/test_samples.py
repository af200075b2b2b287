"""Which samples a diagnosis runs on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
import pytest

from edgeopt.core.errors import DataError
from edgeopt.core.manifest import DataRecord, Manifest, read_manifest
from edgeopt.pipeline.diagnosis.samples import Chosen, choose_samples

Make = Callable[..., Path]


def choose(artifact: Path, evaluation: object = None, count: int = 32) -> Chosen:
    manifest = read_manifest(artifact)
    assert manifest is not None
    return choose_samples(manifest, evaluation, count, code_allowed=True)


def test_the_users_data_come_first(artifact: Path, conv_data: Path) -> None:
    chosen = choose(artifact, conv_data, 5)
    assert (chosen.origin, chosen.start, chosen.stop) == ("evaluation", 0, 5)
    assert chosen.warnings == ()


def test_then_what_it_was_verified_on(artifact: Path) -> None:
    chosen = choose(artifact)
    assert (chosen.origin, chosen.start, chosen.stop) == ("verification", 36, 40)


def test_then_what_it_was_calibrated_on(conv_net: Path, make: Make) -> None:
    chosen = choose(make(conv_net, verify=False))
    assert (chosen.origin, chosen.count) == ("calibration", 32)


@pytest.mark.parametrize("gone", [True, False])
def test_then_random_inputs_which_is_said(artifact: Path, conv_data: Path, gone: bool) -> None:
    if gone:
        conv_data.unlink()
    else:
        np.savez(conv_data, image=np.ones((40, 3, 8, 8), np.float32))
    chosen = choose(artifact)
    assert chosen.origin == "random"
    assert "not there any more" in chosen.warnings[0] if gone else "changed" in chosen.warnings[0]
    assert "random inputs" in chosen.warnings[-1]


def test_code_that_a_manifest_names_is_not_run_if_that_is_refused(artifact: Path) -> None:
    manifest = read_manifest(artifact)
    assert manifest is not None
    record = DataRecord("function", "samples.py:make", None, 9, (0, 9))
    coded: Manifest = msgspec.structs.replace(manifest, calibration=(record,), verification=None)
    chosen = choose_samples(coded, None, 4, code_allowed=False)
    assert chosen.origin == "random"
    assert "would run code" in chosen.warnings[0]


def test_data_that_does_not_fit(artifact: Path, tmp_path: Path) -> None:
    np.savez(tmp_path / "wrong.npz", image=np.ones((4, 3, 9, 9), np.float32))
    chosen = choose(artifact, tmp_path / "wrong.npz")
    manifest = read_manifest(artifact)
    assert manifest is not None
    with pytest.raises(DataError, match="shape"):
        list(chosen.samples(manifest))
    with pytest.raises(DataError, match="no such file"):
        choose(artifact, tmp_path / "missing.npz")
