"""What comes back from a device is taken apart without being believed."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgeopt.benchmarks.native.answer import AFTER, BEFORE, Answer
from edgeopt.core.errors import MeasurementError

TOKEN = "#0123"
WHOLE = {
    "uname": "Linux\n5.15.0-android\naarch64\n",
    "board": "Pixel 9\n",
    "before/proc/cpuinfo": "processor\t: 0\nprocessor\t: 1\n\nFeatures\t: fp asimd asimddp\n",
    "before/proc/loadavg": "0.50 0.40 0.30 1/100 1\n",
    "before/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor": "schedutil\n",
    "before/sys/class/thermal/thermal_zone0/type": "cpu\n",
    "before/sys/class/thermal/thermal_zone0/temp": "41500\n",
    "before/at": "2026-01-02T03:04:05+00:00\n",
    "after/at": "2026-01-02T03:04:15+00:00\n",
    "said/solo-0": "hello\n",
    "code/solo-0": "0\n",
    "end": "",
}


def _answer(**sections: str) -> Answer:
    whole = {**WHOLE, **sections}
    text = "".join(f"\n{TOKEN} {name}\n{content}" for name, content in whole.items())
    return Answer(text.encode(), TOKEN)


def test_the_machine_is_read_as_this_one_is(tmp_path: Path) -> None:
    answer = _answer()
    machine = answer.machine(tmp_path)
    assert (machine.system, machine.release) == ("Linux", "5.15.0-android")
    assert (machine.architecture, machine.python) == ("aarch64", None)
    assert machine.board.value == "Pixel 9"
    assert machine.isa.value == ("asimd", "asimddp")
    assert machine.cores.value == 2
    before = answer.conditions(tmp_path, BEFORE)
    assert before.temperature_c.value == {"cpu": 41.5}
    assert before.governor.value == ("schedutil",)
    assert before.at == "2026-01-02T03:04:05+00:00"
    after = answer.conditions(tmp_path, AFTER)
    assert after.temperature_c.value is None
    assert after.temperature_c.absent
    assert not answer.emulated


def test_an_emulated_device_says_so() -> None:
    assert _answer(emulated="").emulated


def test_a_step_that_was_not_started() -> None:
    answer = _answer()
    assert answer.said("0-0") is None
    said = answer.said("solo-0")
    assert said is not None
    assert (said.words.strip(), said.code, said.times) == ("hello", 0, None)


def test_names_that_lead_elsewhere_are_left_out(tmp_path: Path) -> None:
    hostile = {"before/proc/../../../evil": "x", "before//etc/evil": "x", "before/evil": "x"}
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    _answer(**hostile).conditions(scratch, BEFORE)
    assert list(tmp_path.rglob("evil*")) == []


def test_an_answer_that_was_cut_off() -> None:
    with pytest.raises(MeasurementError, match="cut off"):
        Answer(f"\n{TOKEN} uname\nLinux\n".encode(), TOKEN)
    with pytest.raises(MeasurementError, match="cut off"):
        Answer(b"\xff\x00", TOKEN)
