"""A small disk that is full at one write after another: one line, and everything is as it was."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]
PAGE = 4096
FEW = ("--duration", "0.01", "--processes", "2")


class Disk:
    """A file system with as little room as is asked for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def leave(self, free: int) -> None:
        """Make it so small that so many bytes are free."""
        found = os.statvfs(self.folder)
        used = (found.f_blocks - found.f_bfree) * found.f_frsize
        size = max(used + free, PAGE)
        options = ["-o", f"remount,size={size}"]
        subprocess.run(["mount", *options, str(self.folder)], check=True)

    def contents(self) -> dict[str, bytes | None]:
        found = sorted(self.folder.rglob("*"))
        return {
            str(p.relative_to(self.folder)): p.read_bytes() if p.is_file() else None for p in found
        }


@pytest.fixture
def disk(mounted: Callable[[str], Path]) -> Disk:
    return Disk(mounted("64m"))


def fills_up(disk: Disk, run: Run, *words: object, rooms: Iterator[int] | None = None) -> None:
    """Give a command more room until it has enough; until then nothing may come of it."""
    before, failed = disk.contents(), 0
    for free in rooms or range(0, 1 << 20, PAGE):
        disk.leave(free)
        ran = run(*words)
        if ran.code == 0:
            break
        assert (ran.code, ran.out) == (2, ""), ran
        assert ran.line.startswith("Error: "), ran.line
        assert "o space left on device" in ran.line, ran.line
        assert disk.contents() == before
        failed += 1
    else:
        pytest.fail("it never had enough")
    assert failed


@pytest.fixture
def net(conv_net: Path, conv_data: Path, disk: Disk, run: Run) -> Path:
    """The model, and artifacts of it on the disk."""
    more = ("--effort", "fast", "--no-verify")
    data = ("--calibration", conv_data)
    ran = run("convert", conv_net, "--precision", "fp32,int8", *data, *more, "-o", disk.folder)
    assert ran.code == 0
    return conv_net


def test_convert(net: Path, conv_data: Path, disk: Disk, run: Run) -> None:
    fills_up(
        *(disk, run, "convert", net, "--to", "onnx,tflite", "--precision", "fp32,int8"),
        *("--calibration", conv_data, "-o", disk.folder),
        rooms=iter(range(0, 1 << 20, 4 * PAGE)),
    )


def test_convert_to_a_kit(net: Path, disk: Disk, run: Run) -> None:
    kit = ("--to", "tensorrt", "--precision", "fp16", "--target", "jetson-orin-nano")
    rooms = iter(range(0, 1 << 20, 8 * PAGE))
    fills_up(disk, run, "convert", net, *kit, "-o", disk.folder / "new", rooms=rooms)


def test_calibrate(net: Path, conv_data: Path, disk: Disk, run: Run) -> None:
    table = disk.folder / "net.table.npz"
    command = ("calibrate", net, "--calibration", conv_data, "-o", table)
    assert run(*command, "--effort", "fast").code == 0
    fills_up(disk, run, *command, "--effort", "high", rooms=iter(range(0, 1 << 20, 8 * PAGE)))


def test_benchmark(net: Path, disk: Disk, run: Run) -> None:
    rooms = iter((0, PAGE, 1 << 20))
    fills_up(disk, run, "benchmark", disk.folder / "conv_net.int8.onnx", *FEW, rooms=rooms)


def test_baseline(net: Path, disk: Disk, run: Run) -> None:
    save = ("baseline", "save", disk.folder / "conv_net.int8.onnx", "--name", "main")
    store = disk.folder / "store"
    before = disk.contents()
    disk.leave(0)
    ran = run(*save, "--store", store)
    assert (ran.code, ran.out) == (2, "")
    assert "o space left on device" in ran.line
    assert disk.contents() == before
    for free in (PAGE, 3 * PAGE):  # objects may get there, which no name points at
        disk.leave(free)
        assert "o space left on device" in run(*save, "--store", store).line
        assert not list(store.rglob("names/*"))
        assert all(content is None or content for content in disk.contents().values())
    disk.leave(1 << 20)
    assert run(*save, "--store", store).code == 0
    assert run("baseline", "show", "main", "--store", store).code == 0


def test_what_a_comparison_writes(net: Path, disk: Disk, run: Run) -> None:
    pair = [disk.folder / f"conv_net.{p}.onnx" for p in ("fp32", "int8")]
    history, summary = disk.folder / "history.jsonl", disk.folder / "summary.md"
    quick = ("--duration", "0.01", "--max-processes", "2", "--inconclusive", "pass")
    more = ("--max-slowdown", "900%", "--history", history)
    assert run("compare", *pair, *quick, *more).code in (0, 1)
    with history.open("ab") as file:  # there is room for the beginning of a line
        file.write(b"\n" * (2 * PAGE - 100 - file.tell()))
    summary.write_bytes(b"before\n" * 500)
    for report in ((), ("--summary", summary)):
        before = disk.contents()
        disk.leave(0)
        ran = run("compare", *pair, *quick, *(report or more))
        assert ran.code == 2, ran
        assert "o space left on device" in ran.err.splitlines()[-1]
        assert disk.contents() == before
    disk.leave(1 << 20)
    assert run("history", history).code == 0


def test_pages_and_reports(net: Path, conv_data: Path, disk: Disk, run: Run) -> None:
    int8 = disk.folder / "conv_net.int8.onnx"
    page, junit = disk.folder / "page.html", disk.folder / "junit.xml"
    rooms = iter((0, 2 * PAGE, 1 << 20))
    fills_up(disk, run, "diagnose", int8, "--samples", 2, "--page", page, rooms=rooms)
    fills_up(disk, run, "validate", "data", conv_data, "--junit", junit)


def test_bundle(net: Path, disk: Disk, run: Run) -> None:
    rooms = iter(range(0, 1 << 22, 16 * PAGE))
    int8 = disk.folder / "conv_net.int8.onnx"
    fills_up(disk, run, "bundle", int8, "-o", disk.folder / "bundle", *FEW, rooms=rooms)


TEMPORARY = {
    "convert": ("--calibration", "DATA", "--precision", "int8", "--to", "onnx,tflite", "-o", "OUT"),
    "calibrate": ("--calibration", "DATA", "--effort", "high", "-o", "OUT/t.npz"),
    "benchmark": ("--evaluation", "DATA", *FEW, "--no-save"),
    "diagnose": ("--samples", "2"),
    "validate": ("--evaluation", "DATA"),
}


@pytest.mark.parametrize("command", TEMPORARY)
def test_a_full_folder_for_temporary_files(
    command: str,
    net: Path,
    conv_data: Path,
    disk: Disk,
    run: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    int8 = disk.folder / "conv_net.int8.onnx"
    for path in (int8, int8.with_name(f"{int8.name}.json")):
        shutil.copy(path, tmp_path)
    places = {"DATA": conv_data, "OUT": tmp_path / "out", "OUT/t.npz": tmp_path / "t.npz"}
    words = [places.get(word, word) for word in TEMPORARY[command]]
    subject = net if command in ("convert", "calibrate") else tmp_path / int8.name
    monkeypatch.setattr("tempfile.tempdir", str(disk.folder))
    monkeypatch.setenv("TMPDIR", str(disk.folder))
    names = ("validate", "model") if command == "validate" else (command,)
    fills_up(disk, run, *names, subject, *words, rooms=iter((0, PAGE, 3 * PAGE, 9 * PAGE, 1 << 25)))
