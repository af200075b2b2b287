"""``edgeopt targets`` as a user runs it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from edgeopt.cli.commands.targets import CPUS
from edgeopt.pipeline.probe import _slug
from edgeopt.targets import known_targets, load_target
from edgeopt.targets.cores import CORES

if TYPE_CHECKING:
    from tests.conftest import Emulators

Run = Callable[..., Any]


def test_every_target_is_listed(run: Run) -> None:
    ran = run("targets")
    assert ran.code == 0
    assert all(name in ran.out for name in known_targets())
    assert run("targets", "list").out == ran.out


def test_one_is_shown_with_its_sources(run: Run) -> None:
    out = run("targets", "show", "raspberry-pi-5").out
    assert "4 x Cortex-A76 2.4 GHz" in out
    assert "No tensorrt: it has no NVIDIA GPU." in out
    assert "Tencent/ncnn benchmark README" in out
    assert "No latencies are published" in run("targets", "show", "pixel").out


def test_json_holds_all_of_it(run: Run) -> None:
    (shown,) = run("targets", "show", "coral-usb", "--json").json
    assert shown["lacks"]["fp32"] == "the Edge TPU computes 8-bit integers only"


def test_a_file_of_the_users_own_is_checked(run: Run, tmp_path: Path) -> None:
    board = tmp_path / "board.toml"
    board.write_text('name = "board"\ndescription = "mine"\nlike = ["arm64"]\nthreads = 2\n')
    assert run("targets", "check", board).out == "board: valid; runs onnx, tflite\n"
    board.write_text(board.read_text() + "thread = 2\n")
    ran = run("targets", "check", board)
    assert ran.code == 2
    assert "did you mean threads?" in ran.line


def test_a_target_is_needed_to_show_one(run: Run) -> None:
    assert run("targets", "show").code == 2
    assert run("targets", "list", "host").code == 2


def test_a_device_says_what_it_cannot_run(run: Run, conv_net: Path, tmp_path: Path) -> None:
    ran = run("convert", conv_net, "--target", "coral-usb", "-o", tmp_path / "out")
    assert ran.code == 2
    assert "has no fp32 tflite: the Edge TPU computes 8-bit integers only" in ran.line
    assert not (tmp_path / "out").exists()


def test_this_machine_as_a_profile_that_can_be_used(run: Run, tmp_path: Path) -> None:
    board = tmp_path / "board.toml"
    board.write_text(run("targets", "probe").out)
    probed = load_target(str(board))
    assert probed.encoding == load_target("host").encoding
    assert probed.threads >= 1
    assert run("targets", "check", board).code == 0
    assert run("targets", "probe", "host").code == 2


def test_a_name_can_be_part_of_a_file_s() -> None:
    assert _slug("Raspberry Pi 5 Model B Rev 1.0\x00") == "raspberry-pi-5-model-b-rev-1.0"
    assert _slug("../../") == "board"


def test_every_processor_that_can_be_emulated_is_offered() -> None:
    assert list(CPUS) == list(CORES)


@pytest.mark.emulated
def test_an_emulated_board_is_made_probed_and_used(
    run: Run, emulators: Emulators, conv_net: Path, tmp_path: Path
) -> None:
    (made,) = run("targets", "emulator", "--cpu", "cortex-a76", "--json").json
    assert made["python"] == emulators["cortex-a76"].python
    assert "--target emulated://cortex-a76" in run("targets", "emulator").out
    board = tmp_path / "board.toml"
    board.write_text(run("targets", "probe", "emulated://cortex-a76").out)
    probed = load_target(str(board))
    assert (probed.name, probed.like) == ("cortex-a76-emulated", ("arm64",))
    assert probed.cpu is not None
    assert "asimddp" in probed.cpu.features
    quick = ("--duration", "0.05", "--processes", "1")
    ran = run("benchmark", conv_net, "--target", board, *quick)
    assert ran.code == 0
    assert "no real device's" in ran.out
    assert conv_net.with_name(f"{conv_net.name}.cortex-a76-emulated.benchmark.json").exists()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("emulator", "cortex-a76"), "emulator takes no TARGET"),
        (("list", "--cpu", "cortex-a76"), "--cpu and --root are emulator's"),
        (("emulator", "--cpu", "cortex-a53"), "cortex-a53"),
        (("probe", "raspberry-pi-5"), "not the address of a device: write ssh://user@host"),
        (("probe", "ssh://a", "ssh://b"), "probe takes one address"),
    ],
)
def test_what_does_not_go_together(run: Run, arguments: tuple[str, ...], told: str) -> None:
    ran = run("targets", *arguments)
    assert ran.code == 2
    assert told in ran.err
