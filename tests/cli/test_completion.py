"""The Tab key."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from typing import Any

import pytest

Run = Callable[..., Any]


Process = Callable[..., subprocess.CompletedProcess[str]]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_script_is_one_of_that_shell(run: Run, shell: str) -> None:
    ran = run("completion", shell)
    assert (ran.code, ran.err) == (0, "")
    assert f"_EDGEOPT_COMPLETE={shell}_complete" in ran.out
    if path := shutil.which(shell):
        checked = subprocess.run(
            [path, "-n"], input=ran.out, text=True, capture_output=True, check=False
        )
        assert checked.returncode == 0, checked.stderr


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("edgeopt be", "plain,benchmark"),
        ("edgeopt convert --cal", "plain,--calibration"),
        ("edgeopt convert m.onnx --precision fp32,i", "plain,fp32,int8"),
        ("edgeopt convert m.onnx --color b", "plain,bgr"),
        ("edgeopt inspect ", "file,"),
        ("edgeopt completion f", "plain,fish"),
        ("edgeopt validate d", "plain,data"),
        ("edgeopt validate data x.npz --max-p", "plain,--max-psi"),
    ],
)
def test_what_is_completed(process: Process, words: str, found: str) -> None:
    ran = process(
        _EDGEOPT_COMPLETE="bash_complete",
        COMP_WORDS=words,
        COMP_CWORD=str(len(words.split(" ")) - 1),
    )
    assert ran.returncode == 0
    assert found in ran.stdout.splitlines()
