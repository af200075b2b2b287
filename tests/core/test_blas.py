"""How many cores there are changes no bit of a product."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

PROGRAM = """
import hashlib, sys
import numpy as np
from edgeopt.core import blas
draw = np.random.default_rng(0)
rows = draw.standard_normal((300, 400))
square = rows.T @ rows + 100 * np.eye(400)
threads = blas._threads()
assert threads is not None, "numpy's wheel has OpenBLAS"
threads[1](int(sys.argv[1]))
def digest():
    found = np.linalg.cholesky(square), np.linalg.solve(square, rows.T), square @ rows.T
    return hashlib.sha256(b"".join(each.tobytes() for each in found)).hexdigest()
with blas.one_thread():
    assert threads[0]() == 1
    print(digest())
assert threads[0]() == int(sys.argv[1])
print(digest())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="other wheels of numpy may have no OpenBLAS")
def test_one_thread_gives_the_same_bits_however_many_there_were() -> None:
    path = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    found = [
        subprocess.run(
            [sys.executable, "-c", PROGRAM, str(threads)],
            env={**os.environ, **path, "OPENBLAS_NUM_THREADS": "2"},
            capture_output=True, text=True, check=True,
        ).stdout.split()
        for threads in (1, 2)
    ]  # fmt: skip
    assert found[0][0] == found[1][0] == found[0][1]
