"""Throttling, power modes and rails: made-up machines below a root of their own."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from edgeopt.benchmarks.device.conditions import conditions
from edgeopt.benchmarks.device.kind import MARKER, kind
from edgeopt.benchmarks.device.power import energy, on_battery, power_mode, rails
from edgeopt.benchmarks.device.sensors import Absent
from edgeopt.benchmarks.device.throttling import throttle_count, throttled

FIRMWARE = "sys/devices/platform/soc/soc:firmware/get_throttled"
RAIL = "sys/class/hwmon/hwmon3"
SUPPLY = "sys/class/power_supply"
BATTERY = {f"{SUPPLY}/BAT0/type": "Battery\n", f"{SUPPLY}/BAT0/status": "Discharging\n"}


def machine(root: Path, files: dict[str, str]) -> str:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return str(root)


def test_a_raspberry_pi_that_is_held_back(tmp_path: Path) -> None:
    root = machine(tmp_path, {FIRMWARE: "50005\n"})
    assert throttled(root) == [
        *("under-voltage", "throttled", "under-voltage since boot", "throttled since boot")
    ]


def test_a_raspberry_pi_that_is_not(tmp_path: Path) -> None:
    assert throttled(machine(tmp_path, {FIRMWARE: "0\n"})) == []


@pytest.mark.skipif(os.name == "nt", reason="a shell script stands in for the tool")
def test_the_vendors_tool_where_the_kernel_has_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool = tmp_path / "vcgencmd"
    tool.write_text("#!/bin/sh\necho throttled=0x20000\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert throttled() == ["frequency capped since boot"]


def test_x86_counts_how_often_it_grew_hot(tmp_path: Path) -> None:
    cpus = "sys/devices/system/cpu"
    files = {f"{cpus}/cpu{n}/thermal_throttle/core_throttle_count": f"{n + 3}\n" for n in (0, 1)}
    assert throttle_count(machine(tmp_path, files)) == 7


def test_the_rails_of_a_jetson(tmp_path: Path) -> None:
    files = {
        f"{RAIL}/name": "ina3221\n",
        f"{RAIL}/in1_label": "VDD_IN\n",
        f"{RAIL}/in1_input": "19000\n",
        f"{RAIL}/curr1_input": "500\n",
        f"{RAIL}/in2_input": "5000\n",
        f"{RAIL}/curr2_input": "100\n",
        "sys/class/hwmon/hwmon0/name": "nvme\n",
    }
    assert rails(machine(tmp_path, files)) == {"VDD_IN": 9500.0, "hwmon3 channel 2": 500.0}


def test_the_power_mode_of_a_jetson(tmp_path: Path) -> None:
    assert power_mode(machine(tmp_path, {"var/lib/nvpmodel/status": "pmode:0002\n"})) == "mode 2"


@pytest.mark.skipif(os.name == "nt", reason="a shell script stands in for the tool")
def test_its_name_where_the_tool_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tool = tmp_path / "nvpmodel"
    tool.write_text("#!/bin/sh\necho 'NV Power Mode: MAXN'\necho 0\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert power_mode() == "MAXN"


def test_the_counters_of_rapl(tmp_path: Path) -> None:
    zone = "sys/class/powercap/intel-rapl:0"
    files = {f"{zone}/name": "package-0\n", f"{zone}/energy_uj": "123456789\n"}
    assert energy(machine(tmp_path, files)) == {"package-0 (intel-rapl:0)": 123456789}


def test_a_counter_that_may_not_be_read_says_so(tmp_path: Path) -> None:
    root = machine(tmp_path, {"sys/class/powercap/intel-rapl:0/name": "package-0\n"})
    with pytest.raises(Absent, match="energy_uj"):
        energy(root)


def test_a_machine_without_any_has_a_reason_for_each(tmp_path: Path) -> None:
    state = conditions(str(tmp_path), "Linux")
    for name in ("throttled", "throttle_count", "power_mode", "rails_mw", "energy_uj"):
        assert state[name]["value"] is None
        assert state[name]["absent"]


def test_the_marker_makes_it_emulated(tmp_path: Path) -> None:
    root = machine(tmp_path, {MARKER: ""})
    assert kind(root) == "emulated"
    (tmp_path / MARKER).unlink()
    assert kind(root) == "measured"


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (BATTERY, True),
        ({**BATTERY, f"{SUPPLY}/AC/type": "Mains", f"{SUPPLY}/AC/online": "0"}, True),
        ({**BATTERY, f"{SUPPLY}/AC/type": "Mains", f"{SUPPLY}/AC/online": "1"}, False),
        ({**BATTERY, f"{SUPPLY}/BAT0/status": "Full"}, False),
        ({**BATTERY, f"{SUPPLY}/BAT0/scope": "Device"}, False),  # a mouse's
    ],
)
def test_a_machine_on_its_battery(tmp_path: Path, files: dict[str, str], expected: bool) -> None:
    assert on_battery(machine(tmp_path, files)) is expected


def test_a_machine_without_any_supply_that_the_kernel_knows(tmp_path: Path) -> None:
    (tmp_path / SUPPLY).mkdir(parents=True)
    with pytest.raises(Absent, match="is empty"):
        on_battery(str(tmp_path))
