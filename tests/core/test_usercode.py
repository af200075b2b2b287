from pathlib import Path

import pytest

from edgeopt.core.errors import EdgeOptError, UsageError
from edgeopt.core.usercode import call_named, load_named, names_code


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("net.py:make", True),
        ("package.data:samples", True),
        ("C:\\m.onnx", False),
        ("C:model", False),
        ("s3://bucket", False),
        ("model.onnx", False),
        ("net.py:", False),
    ],
)
def test_which_names_are_code(text: str, expected: bool) -> None:
    assert names_code(text) is expected


def test_a_file_can_import_its_neighbour(tmp_path: Path) -> None:
    (tmp_path / "neighbour_of_a.py").write_text("value = 3")
    (tmp_path / "a_file.py").write_text(
        "import neighbour_of_a\ndef f(): return neighbour_of_a.value"
    )
    assert load_named(f"{tmp_path}/a_file.py:f")() == 3


def test_two_files_of_one_name_are_two_modules(tmp_path: Path) -> None:
    for folder, value in (("a", 1), ("b", 2)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "same.py").write_text(f"def f(): return {value}")
    found = [load_named(f"{tmp_path}/{folder}/same.py:f")() for folder in ("a", "b")]
    assert found == [1, 2]


def test_a_missing_name_lists_what_there_is(tmp_path: Path) -> None:
    (tmp_path / "m.py").write_text("def good(): ...")
    with pytest.raises(UsageError, match=r"no function or class 'bad'.*good"):
        load_named(f"{tmp_path}/m.py:bad")


def test_what_the_users_code_raises_names_the_line(tmp_path: Path) -> None:
    (tmp_path / "m.py").write_text("def f():\n    raise KeyError('gone')\n")
    with pytest.raises(EdgeOptError, match=r"KeyError.*gone.*m\.py:2"):
        call_named(load_named(f"{tmp_path}/m.py:f"), "m.py:f")


def test_code_can_be_refused(tmp_path: Path) -> None:
    (tmp_path / "m.py").write_text("raise SystemError('ran')")
    with pytest.raises(UsageError, match="would run code"):
        load_named(f"{tmp_path}/m.py:f", allowed=False)


def test_a_missing_module_is_a_users_mistake() -> None:
    with pytest.raises(UsageError, match="no module named 'no_such_module_here'"):
        load_named("no_such_module_here:f")
