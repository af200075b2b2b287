import subprocess
import sys

CODE = """
import sys
from edgeopt.core.ir import ir
assert "sympy" not in sys.modules
dimension = ir.SymbolicDim("n")
print(dimension + 1, "sympy" in sys.modules)
import sympy
assert sympy.__name__ == "sympy" and sympy.sqrt(4) == 2
assert isinstance((dimension + 1)._expr, sympy.Expr)
"""


def test_sympy_is_imported_only_when_it_is_used() -> None:
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[-1] == "True"
