"""Running code that the user names, and nothing else: ``package.module:name``, ``file.py:name``."""

from __future__ import annotations

import importlib
import importlib.util
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from edgeopt.core.errors import EdgeOptError, UsageError


def names_code(text: str) -> bool:
    r"""Whether ``text`` has the form ``module:name`` or ``file.py:name`` (a Windows drive doesn't).

    >>> names_code("net.py:make"), names_code("package.data:samples"), names_code("C:\\m.onnx")
    (True, True, False)
    """
    where, colon, name = text.rpartition(":")
    return bool(colon) and name.isidentifier() and len(where) > 1 and "://" not in text


def load_named(text: str, *, allowed: bool = True) -> Callable[..., Any]:
    """Import what ``module:name`` or ``file.py:name`` names.

    Args:
        text: The name; a file's folder is importable while the file is loaded, as for a script.
        allowed: False under ``--no-code``.

    Raises:
        UsageError: If there is no such file, module or name, or code isn't allowed.
        EdgeOptError: If importing it raises.
    """
    if not allowed:
        raise UsageError(f"{text}: would run code", hint="drop --no-code if you trust it")
    where, _, name = text.rpartition(":")
    module = _load_file(Path(where)) if where.endswith(".py") else _load_module(where)
    found = getattr(module, name, None)
    if not callable(found):
        have = sorted(k for k, v in vars(module).items() if callable(v) and not k.startswith("_"))
        raise UsageError(
            f"{where} has no function or class {name!r}", hint=f"it has: {', '.join(have) or '-'}"
        )
    return found  # type: ignore[no-any-return]  # callable() doesn't narrow Any


def call_named(function: Callable[..., Any], text: str, *args: Any) -> Any:
    """Call the user's function, turning what it raises into one line that says where.

    Raises:
        EdgeOptError: If the function raises.
    """
    try:
        return function(*args)
    except Exception as error:
        raise _failure(text, error) from error


def _load_file(path: Path) -> ModuleType:
    if not path.is_file():
        raise UsageError(f"{path}: no such file", hint="name it as FILE.py:NAME")
    folder = str(path.resolve().parent)
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # Classes defined there are looked up by module name (dataclasses, torch): register it first.
    sys.modules.setdefault(path.stem, module)
    sys.path.insert(0, folder)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise _failure(str(path), error) from error
    finally:
        sys.path.remove(folder)
    return module


def _load_module(name: str) -> ModuleType:
    sys.path.insert(0, "")  # as `python -m` does: a module beside the user is found
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name and name.startswith(error.name):
            raise UsageError(
                f"no module named {error.name!r}", hint="install it, or name a FILE.py:NAME"
            ) from error
        raise _failure(name, error) from error
    except Exception as error:
        raise _failure(name, error) from error
    finally:
        sys.path.remove("")


def _failure(text: str, error: Exception) -> EdgeOptError:
    if isinstance(error, EdgeOptError):
        return error
    frames = traceback.extract_tb(error.__traceback__)
    place = f" ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""
    return EdgeOptError(
        f"{text} raised {type(error).__name__}: {error}{place}",
        hint="mend it there, or call it by itself to see its traceback",
    )
