"""Several files get to their places, or none does; a later run finishes what was cut off."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

from edgeopt.core.placing import finish_placing, place, tidy, working_folder

NAMES = ("a.bin", "a.bin.json", "kit")


def fill(folder: Path, text: str) -> None:
    for name in NAMES[:2]:
        (folder / name).write_text(text)
    (folder / "kit").mkdir()
    (folder / "kit" / "file").write_text(text)


def found(folder: Path) -> dict[str, str]:
    files = (p for p in sorted(folder.rglob("*")) if p.is_file())
    return {p.relative_to(folder).as_posix(): p.read_text() for p in files}


def killed_after(moves: int, work: Path, output: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Place files, but be cut off after so many renames."""
    real, done = Path.replace, 0

    def replace(self: Path, target: Path) -> Path:
        nonlocal done
        if self.suffix != ".part":  # the note's own
            if done == moves:
                raise KeyboardInterrupt
            done += 1
        return real(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", replace)
        with pytest.raises(KeyboardInterrupt):
            place(work, output, NAMES)


@pytest.mark.parametrize("former", [True, False])
@pytest.mark.parametrize("moves", range(4))
def test_the_rest_is_done_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moves: int, former: bool
) -> None:
    output, work = tmp_path / "out", tmp_path / "out" / "work"
    work.mkdir(parents=True)
    if former:
        fill(output, "old")
    elif moves == 3:
        return  # there is nothing that a folder replaces, and so no fourth rename
    fill(work, "new")
    killed_after(moves, work, output, monkeypatch)
    finish_placing(work)
    due = dict.fromkeys(("a.bin", "a.bin.json", "kit/file"), "new")
    assert {n: t for n, t in found(output).items() if not n.startswith("work")} == due


@pytest.mark.parametrize("change", ["edited", "removed"])
def test_what_somebody_changed_since_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    output, work = tmp_path / "out", tmp_path / "out" / "work"
    work.mkdir(parents=True)
    fill(output, "old")
    fill(work, "new")
    killed_after(1, work, output, monkeypatch)
    (output / "a.bin").unlink()
    if change == "edited":
        (output / "a.bin").write_text("mine")
    before = {n: t for n, t in found(output).items() if not n.startswith("work")}
    finish_placing(work)
    assert {n: t for n, t in found(output).items() if not n.startswith("work")} == before


@pytest.mark.parametrize(
    "note", ["", "[]", "{}", '[{"name": "../../x", "file": [1], "former": 0}]']
)
def test_a_note_that_is_none_moves_nothing(tmp_path: Path, note: str) -> None:
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "moves.json").write_text(note)
    finish_placing(tmp_path / "work")
    assert found(tmp_path) == {"work/moves.json": note}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="POSIX: fork")
def test_a_killed_process_has_its_work_finished(tmp_path: Path) -> None:
    fill(tmp_path, "old")
    child = os.fork()
    if child == 0:
        with working_folder(tmp_path) as work:
            fill(work, "new")

            def die(event: str, arguments: tuple[object, ...]) -> None:
                if event == "os.rename" and str(arguments[0]).endswith("a.bin.json"):
                    os.kill(os.getpid(), signal.SIGKILL)

            sys.addaudithook(die)
            place(work, tmp_path, NAMES)
    os.waitpid(child, 0)
    assert (tmp_path / "a.bin").read_text() == "new"
    assert (tmp_path / "a.bin.json").read_text() == "old"
    tidy(tmp_path)
    assert found(tmp_path) == dict.fromkeys(("a.bin", "a.bin.json", "kit/file"), "new")
