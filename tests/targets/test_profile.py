from pathlib import Path

import pytest

from edgeopt.core.errors import UnsupportedError, UsageError
from edgeopt.core.precision import Format, Precision
from edgeopt.targets import DEFAULT_TARGET, known_targets, load_target
from edgeopt.targets.profile import shipped_targets


def test_every_shipped_profile_loads_under_its_own_name() -> None:
    assert DEFAULT_TARGET in shipped_targets()
    for name in known_targets():
        profile = load_target(name)
        assert profile.name == name
        assert profile.formats
        assert all(each.source and each.ms > 0 for each in profile.published)
        rules = profile.rules(Format.ONNX)
        assert rules.weight.symmetric  # ONNX Runtime's kernels take weights with zero point 0


LISTED = {
    *("raspberry-pi-4", "raspberry-pi-5", "raspberry-pi-zero-2w", "jetson-orin-nano"),
    *("jetson-orin-nx", "jetson-agx-orin", "coral-usb", "rk3588", "snapdragon-8-gen-3", "pixel"),
    *("imx8m-plus", "x86-64-vnni", "x86-64", "arm64", "rtx-3090", "rtx-4090", "rtx-5090"),
    *("stm32", "host"),
}


def test_the_devices_that_are_promised_are_here() -> None:
    assert set(known_targets()) >= LISTED
    # Nobody's own figures were found for these; a machine's own are what is measured on it.
    assert [n for n in ("pixel", "imx8m-plus", "host") if load_target(n).published] == []
    assert load_target("imx8m-plus").cpu is not None
    for name in LISTED - {"host"}:
        assert load_target(name).cpu is not None, name


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("threads = 0", r"mine\.toml: Expected `int` >= 1 - at `threads`"),
        ('like = ["arm46"]', r"mine\.toml: `like`: no target called 'arm46'.*did you mean arm64"),
        ('like = ["./mine.toml"]', r"`like`: no target called './mine\.toml'"),
    ],
)
def test_a_profile_that_can_t_be_meant(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(f'name = "mine"\ndescription = "d"\n{text}\n')
    with pytest.raises(UsageError, match=told):
        load_target(str(path))


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
    jetson = load_target("jetson-orin-nano")
    assert jetson.rules(Format.TFLITE) == load_target("arm64").rules(Format.TFLITE)
    assert load_target("coral-usb").cpu == load_target("arm64").cpu


def test_a_board_like_another_has_its_runtime_and_its_limits(tmp_path: Path) -> None:
    path = tmp_path / "board.toml"
    path.write_text('name = "board"\ndescription = "mine"\nlike = ["stm32"]\n')
    board, stm32 = load_target(str(path)), load_target("stm32")
    assert (board.tflite, board.lacks) == (stm32.tflite, stm32.lacks)
    assert not board.rules(Format.TFLITE).hybrid


def test_an_unknown_compute_capability_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "board.toml"
    path.write_text(
        'name = "board"\ndescription = "mine"\nlike = ["tensorrt"]\n'
        '[gpu]\ncompute_capability = "9.9"\n'
    )
    with pytest.raises(UsageError, match=r"knows no compute capability '9\.9' \(it knows 7\.5, .*"):
        load_target(str(path))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('arhc = "aarch64"', r"unknown field `arhc`.*`cpu`: did you mean arch\? allowed: arch, "),
        ('arch = "arm"', r"'arm'.*`cpu\.arch`: .*allowed: x86_64, aarch64, armv7e-m"),
        ('arch = "aarch64"\ncores = [{ name = "A", count = "4", ghz = 1 }]', r"cores\[0\]\.count"),
        ('arch = "aarch64"\n[encoding.onxx.activation]\ndtype = "int8"', r"did you mean onnx\?"),
        ('arch = "aarch64"\n[encoding.onnx.activation]\ndtype = "int9"', r"did you mean .*int8"),
        ('arch = "aarch64"\n[without]\ntflite = 1', r"`without\[\.\.\.\]`"),
        ('arch = "aarch64"\n[budget]\nmax_latency_ms = -1', r"> 0.*`budget\.max_latency_ms`"),
        ('arch = "aarch64"\n[budget]\nmax_size = 1', r"did you mean max_size_mb\?"),
        ('arch = "aarch64"\n[binaries]\ntflit = "x"', r"`binaries`: did you mean tflite\?"),
    ],
)
def test_a_profile_that_is_wrong_names_file_key_and_what_is_allowed(
    tmp_path: Path, text: str, told: str
) -> None:
    path = tmp_path / "board.toml"
    path.write_text(f'name = "board"\ndescription = "mine"\n[cpu]\n{text}\n')
    with pytest.raises(UsageError, match=rf"board\.toml: .*{told}"):
        load_target(str(path))


@pytest.mark.parametrize(
    ("target", "fmt", "precision", "told"),
    [
        ("coral-usb", Format.ONNX, Precision.INT8, "TFLite files only: it runs: tflite"),
        ("coral-usb", Format.TFLITE, Precision.FP32, "8-bit integers only: it has: int8"),
        ("raspberry-pi-5", Format.TENSORRT, Precision.FP16, "no NVIDIA GPU: it runs: onnx, tflite"),
        ("stm32", Format.TFLITE, Precision.INT8_DYNAMIC, "no hybrid kernels: it has: fp32, int8"),
    ],
)
def test_what_a_device_cannot_run_is_refused_with_why_and_what_would(
    target: str, fmt: Format, precision: Precision, told: str
) -> None:
    with pytest.raises(UnsupportedError, match=told):
        load_target(target).check(fmt, precision)


def test_what_it_runs_is_not_refused() -> None:
    load_target("coral-usb").check(Format.TFLITE, Precision.INT8)
    load_target("stm32").check(Format.TFLITE, Precision.FP32)
    assert load_target("coral-usb").usual_formats == (Format.TFLITE,)
    assert load_target("raspberry-pi-5").usual_formats == (Format.ONNX,)


def test_the_host_has_the_profile_of_its_processor(tmp_path: Path) -> None:
    from edgeopt.targets.host import host_architecture, host_profile

    assert load_target("host").encoding == load_target(host_profile()).encoding
    if host_architecture() == "x86_64":
        info = tmp_path / "cpuinfo"
        info.write_text("flags\t: fpu avx2 avx512_vnni\n")
        assert host_profile(info) == "x86-64-vnni"
        assert host_profile(tmp_path / "none") == "x86-64"
