"""A made-up machine below a root of its own, and one that tells nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from edgeopt.benchmarks.conditions import Conditions, Machine
from edgeopt.benchmarks.device.conditions import conditions
from edgeopt.benchmarks.device.machine import machine
from edgeopt.benchmarks.device.memory import memory

PI_5 = {
    "proc/cpuinfo": "processor\t: 0\nFeatures\t: fp asimd evtstrm crc32 asimddp fphp asimdhp\n"
    "CPU implementer\t: 0x41\nCPU part\t: 0xd0b\n",
    "proc/meminfo": "MemTotal:        4194304 kB\nMemAvailable:    2097152 kB\n",
    "proc/loadavg": "0.25 0.10 0.05 1/123 4567\n",
    "proc/device-tree/model": "Raspberry Pi 5 Model B Rev 1.0\0",
    "proc/self/status": "Name:\tpython3\nVmHWM:\t   60000 kB\nVmRSS:\t   50000 kB\n",
    "proc/self/smaps_rollup": "0-f ---p 0 00:00 0 [rollup]\nRss: 50000 kB\nPss:   40000 kB\n",
    "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor": "ondemand\n",
    "sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq": "2400000\n",
    "sys/devices/system/cpu/cpu1/cpufreq/scaling_governor": "performance\n",
    "sys/devices/system/cpu/cpu1/cpufreq/scaling_cur_freq": "1500000\n",
    "sys/devices/system/cpu/cpufreq/boost": "1\n",
    "sys/class/thermal/thermal_zone0/type": "cpu-thermal\n",
    "sys/class/thermal/thermal_zone0/temp": "48850\n",
    "sys/class/thermal/thermal_zone1/type": "off\n",
    "sys/class/thermal/thermal_zone2/temp": "50000\n",
}


@pytest.fixture
def pi(tmp_path: Path) -> str:
    for name, text in PI_5.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return str(tmp_path)


def values(readings: dict[str, Any]) -> dict[str, Any]:
    return {k: v["value"] if isinstance(v, dict) else v for k, v in readings.items()}


def test_what_it_is(pi: str) -> None:
    known = values(machine(pi, "Linux"))
    assert known["cpu"] == "implementer 0x41 part 0xd0b"
    assert known["isa"] == ["asimd", "asimddp", "asimdhp", "fphp"]
    assert known["board"] == "Raspberry Pi 5 Model B Rev 1.0"
    assert known["memory_bytes"] == 4 << 30


def test_the_state_it_is_in(pi: str) -> None:
    state = values(conditions(pi, "Linux"))
    assert state["governor"] == ["ondemand", "performance"]
    assert state["frequency_mhz"] == [2400, 1500]
    # A zone without a temperature is left out; one without a type goes by its folder's name.
    assert state["temperature_c"] == {"cpu-thermal": 48.85, "thermal_zone2": 50.0}
    assert state["load_average"] == 0.25
    assert state["memory_available_bytes"] == 2 << 30


def test_memory_of_the_process(pi: str) -> None:
    assert values(memory(pi, "Linux")) == {
        "peak_bytes": 60000 * 1024,
        "proportional_bytes": 40000 * 1024,
    }


@pytest.mark.parametrize("system", ["Linux", "Windows", "Plan9"])
def test_an_absent_sensor_is_null_with_its_reason(tmp_path: Path, system: str) -> None:
    state = conditions(str(tmp_path), system)
    for name in ("governor", "frequency_mhz", "temperature_c", "memory_available_bytes"):
        assert state[name]["value"] is None
        assert state[name]["absent"]
    assert memory(str(tmp_path), system)["peak_bytes"]["absent"]


def test_a_sensor_that_talks_nonsense_is_absent(pi: str) -> None:
    Path(pi, "sys/devices/system/cpu/cpu1/cpufreq/scaling_cur_freq").write_text("<unknown>\n")
    reading = conditions(pi, "Linux")["frequency_mhz"]
    assert reading["value"] is None
    assert "<unknown>" in reading["absent"]


def test_this_machine_fits_the_host_s_types() -> None:
    here = msgspec.convert(machine(), Machine)
    now = msgspec.convert(conditions(), Conditions)
    assert here.cores.value is None or here.cores.value >= 1
    assert now.at.endswith("+00:00")
