import gc
from pathlib import Path

import msgspec
import pytest

from edgeopt.core.errors import EdgeOptError, UsageError
from edgeopt.core.manifest import Encoding, Manifest
from edgeopt.core.preprocessing import Preprocessing
from edgeopt.core.record import from_json, read_toml, to_json
from edgeopt.targets import Profile


def encoding(**changes: object) -> Encoding:
    fields = {
        "tensor": "x", "dtype": "uint8", "scale": (0.1, 0.2), "zero_point": (0, 3), "axis": None,
        "low": -1.0, "high": 2.0,
    }  # fmt: skip
    return Encoding(**{**fields, **changes})  # type: ignore[arg-type]


def test_a_record_survives_json_bit_for_bit() -> None:
    record = encoding(scale=(0.1, 1 / 3, 5e-324, 1.7976931348623157e308))
    assert from_json(to_json(record), Encoding, where="t") == record


def test_lists_of_numbers_stay_on_one_line() -> None:
    assert b'"scale": [0.1, 0.2],' in to_json(encoding())


def test_text_that_looks_like_a_list_of_numbers_is_left_alone() -> None:
    record = encoding(tensor="[1,\n 2]")
    assert from_json(to_json(record), Encoding, where="t").tensor == "[1,\n 2]"


@pytest.mark.parametrize("data", [b"", b"{", b'{"tensor": 1}', b"[]", b"\xff"])
def test_bad_json_names_the_file(data: bytes) -> None:
    with pytest.raises(EdgeOptError, match="where it was"):
        from_json(data, Encoding, where="where it was")


def test_what_is_no_text_is_no_toml(tmp_path: Path) -> None:
    (tmp_path / "pre.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match=r"pre\.toml: not valid TOML: it isn't text: check"):
        read_toml(tmp_path / "pre.toml", Preprocessing)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("mean = [0.5", "not valid TOML"),
        ("crop = -1", "crop"),
        ("resize = 0", "resize must be positive"),
        ("resize = [224, -1]", "resize must be positive"),
        ("resize = [224]", "resize"),
        ("means = [0.5]", "means"),
        ("std = [0.0]", "std must not be 0"),
        ("mean = [0.1, 0.2]", "mean has 2 values"),
        ('color = "cmyk"', "color"),
    ],
)
def test_bad_toml_names_file_and_key(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "pre.toml"
    path.write_text(text)
    with pytest.raises(UsageError, match=told) as error:
        read_toml(path, Preprocessing)
    assert "pre.toml" in str(error.value)


def test_refusing_bad_values_does_not_corrupt_memory() -> None:
    # msgspec 0.22 crashed the process in a later garbage collection for one of our types.
    for kind in (Preprocessing, Profile, Manifest):
        for bad in ({"crop": -1}, {"resize": "x"}, {"cpu": 3}, {"nothing": 0}, {"name": 1}):
            with pytest.raises(msgspec.ValidationError):
                msgspec.convert(bad, kind)
            gc.collect()
