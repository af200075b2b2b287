"""Start the program: as a module (``-m``), or as this folder, which is how the host does it."""

import sys

if __package__:
    from .program import main
else:
    # Run as a folder there is no package, and this folder is first on sys.path: its file names
    # would hide other modules. So it is taken off and given a package's name.
    import types

    _package = types.ModuleType("edgeopt_tensorrt")
    _package.__path__ = [sys.path.pop(0)]
    sys.modules["edgeopt_tensorrt"] = _package
    from edgeopt_tensorrt.program import main  # type: ignore[import-not-found,no-redef]

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
