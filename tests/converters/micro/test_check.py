"""What TFLite Micro can't run is refused, and its own interpreter says the same.

Its profile's reasons are held to that interpreter here.
"""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path

import pytest

import edgeopt
from edgeopt.converters.micro.arena import interpreter, try_out
from edgeopt.converters.micro.check import check_runs
from edgeopt.core.errors import UnsupportedError
from edgeopt.core.tflite_file import read_tflite
from edgeopt.targets import load_target


@pytest.fixture
def micro() -> None:
    """TFLite Micro's interpreter; in CI it must be here."""
    if find_spec("tflite_micro") is None and not os.environ.get("CI"):
        pytest.skip("tflite-micro is not installed: pip install 'edgeopt[micro]'")
    assert find_spec("tflite_micro") is not None


def _made(net: Path, data: Path, precision: str, tmp_path: Path) -> Path:
    made = edgeopt.convert(
        net, to="tflite", precision=precision, calibration=data, target="arm64", layout="nhwc",
        output=tmp_path / "out", verify=False,
    )  # fmt: skip
    return Path(made.artifacts[0].path)


@pytest.mark.parametrize(
    ("precision", "told", "says"),
    [
        ("fp16", "its DEQUANTIZE takes no float16", "DEQUANTIZE"),
        ("int8-dynamic", "takes no floats beside integer weights", "Hybrid models|not supported"),
        ("int4-weight", "FULLY_CONNECTED takes no floats", "FLOAT32 with filter type: INT4"),
        ("int8", "FULLY_CONNECTED takes no floats", "FLOAT32 with filter type: INT8"),
    ],
)
def test_the_interpreter_refuses_what_is_refused_here(
    micro: None,
    conv_net: Path,
    conv_data: Path,
    tmp_path: Path,
    precision: str,
    told: str,
    says: str,
) -> None:
    # int8 is arm64's, which ends in a hybrid kernel; the profile of TFLite Micro has none.
    path = _made(conv_net, conv_data, precision, tmp_path)
    with pytest.raises(UnsupportedError, match=told):
        check_runs(read_tflite(path), path.name)
    with pytest.raises(UnsupportedError, match=says):
        try_out(path, path.name)


def test_weights_with_several_scales_are_computed_wrongly_there(
    micro: None, conv_net: Path, conv_data: Path, tmp_path: Path
) -> None:
    path = _made(conv_net, conv_data, "int8-weight", tmp_path)
    with pytest.raises(UnsupportedError, match=r"answers are .* dB from LiteRT's \(floor 20 dB\)"):
        try_out(path, path.name)
    with pytest.raises(UnsupportedError, match="takes one scale for all channels"):
        check_runs(read_tflite(path), path.name)


@pytest.mark.parametrize("precision", ["fp32", "int16x8"])
def test_what_runs_there_answers_as_in_litert(
    micro: None, conv_net: Path, conv_data: Path, tmp_path: Path, precision: str
) -> None:
    tried = try_out(_made(conv_net, conv_data, precision, tmp_path), "net")
    assert tried.sqnr_db is None or tried.sqnr_db > 60
    assert 0 < tried.arena_bytes < 1 << 16


def test_what_is_refused_is_what_the_profile_lacks() -> None:
    assert {p.value for p in load_target("stm32").lacks} == {
        *("fp16", "int8-dynamic", "int8-weight", "int4-weight"),
    }


def test_the_interpreter_has_a_version(micro: None) -> None:
    assert interpreter()
