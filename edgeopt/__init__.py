"""EdgeOpt: from a trained model to a small, fast, verified artifact for each device it must run on.

The functions here are the command line's, with the same names and options::

    import edgeopt

    result = edgeopt.convert("model.pt2", to=["onnx"], precision=["int8"], calibration="images.npz")
    table = edgeopt.benchmark([a.path for a in result.artifacts])

They are imported on first use, so that ``import edgeopt`` costs nothing.
"""

from typing import TYPE_CHECKING, Any

from edgeopt.core.version import __version__ as __version__

if TYPE_CHECKING:
    from edgeopt.core.errors import EdgeOptError as EdgeOptError
    from edgeopt.core.errors import MissingBaselineError as MissingBaselineError
    from edgeopt.pipeline.benchmark import benchmark as benchmark
    from edgeopt.pipeline.bundle import bundle as bundle
    from edgeopt.pipeline.calibrate import calibrate as calibrate
    from edgeopt.pipeline.compare import compare as compare
    from edgeopt.pipeline.convert import convert as convert
    from edgeopt.pipeline.coverage import coverage as coverage
    from edgeopt.pipeline.diagnose import diagnose as diagnose
    from edgeopt.pipeline.inspect import inspect as inspect
    from edgeopt.pipeline.results import import_results as import_results
    from edgeopt.pipeline.validate_data import validate_data as validate_data
    from edgeopt.pipeline.validate_model import validate_model as validate_model

_PUBLIC = {
    "calibrate": "edgeopt.pipeline.calibrate",
    "convert": "edgeopt.pipeline.convert",
    "benchmark": "edgeopt.pipeline.benchmark",
    "compare": "edgeopt.pipeline.compare",
    "validate_data": "edgeopt.pipeline.validate_data",
    "validate_model": "edgeopt.pipeline.validate_model",
    "bundle": "edgeopt.pipeline.bundle",
    "import_results": "edgeopt.pipeline.results",
    "inspect": "edgeopt.pipeline.inspect",
    "coverage": "edgeopt.pipeline.coverage",
    "diagnose": "edgeopt.pipeline.diagnose",
    "EdgeOptError": "edgeopt.core.errors",
    "MissingBaselineError": "edgeopt.core.errors",
}

__all__ = [
    "__version__",
    "calibrate",
    "convert",
    "benchmark",
    "compare",
    "validate_data",
    "validate_model",
    "bundle",
    "import_results",
    "inspect",
    "coverage",
    "diagnose",
    "EdgeOptError",
    "MissingBaselineError",
]


def __getattr__(name: str) -> Any:
    """Import a public name on first use (PEP 562)."""
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_PUBLIC[name]), name)


def __dir__() -> list[str]:
    return __all__
