from pathlib import Path

import pytest

from edgeopt.core.errors import UsageError
from edgeopt.core.precision import Format
from edgeopt.targets import DEFAULT_TARGET, load_target
from edgeopt.targets.profile import shipped_targets


def test_every_shipped_profile_loads_under_its_own_name() -> None:
    assert DEFAULT_TARGET in shipped_targets()
    for name in shipped_targets():
        profile = load_target(name)
        assert profile.name == name
        rules = profile.rules(Format.ONNX)
        assert rules.weight.symmetric  # ONNX Runtime's kernels take weights with zero point 0


def test_a_misspelt_target_suggests_the_nearest() -> None:
    with pytest.raises(UsageError, match="did you mean arm64"):
        load_target("arm46")


def test_a_profile_of_the_users_own(tmp_path: Path) -> None:
    path = tmp_path / "board.toml"
    path.write_text(
        'name = "board"\ndescription = "mine"\n[cpu]\narch = "aarch64"\n'
        '[encoding.onnx]\nactivation = { dtype = "int8" }\n'
        'weight = { dtype = "int8", symmetric = true }\n'
    )
    assert load_target(str(path)).rules(Format.ONNX).activation.dtype == "int8"
    path.write_text(path.read_text().replace("aarch64", "riscv"))
    with pytest.raises(UsageError, match=r"board\.toml.*cpu\.arch"):
        load_target(str(path))


def test_a_profile_takes_from_others_what_it_does_not_say() -> None:
    profile = load_target("rtx-4090")
    assert profile.gpu is not None
    assert profile.gpu.name == "SM89"
    assert profile.rules(Format.ONNX) == load_target("x86-64-vnni").rules(Format.ONNX)
    assert profile.rules(Format.TENSORRT) == load_target("tensorrt").rules(Format.TENSORRT)
    assert load_target("jetson-orin-nano").cpu == load_target("arm64").cpu


def test_an_unknown_compute_capability_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "board.toml"
    path.write_text(
        'name = "board"\ndescription = "mine"\nlike = ["tensorrt"]\n'
        '[gpu]\ncompute_capability = "9.9"\n'
    )
    with pytest.raises(UsageError, match=r"knows no compute capability '9\.9' \(it knows 7\.5, .*"):
        load_target(str(path))
