"""How ``edgeopt bundle`` tells what it made, and what to do with it."""

from __future__ import annotations

import shlex
from pathlib import Path

from edgeopt.benchmarks.bundle import RUN
from edgeopt.cli.figures import plural, size
from edgeopt.pipeline.bundle import BundleResult

_PACKAGES = {"litert": "ai-edge-litert (or tflite-runtime)", "onnxruntime": "onnxruntime"}


def draw_bundle(result: BundleResult) -> str:
    """What is in it, what the device needs, and the commands that come next."""
    artifacts = result.bundle.artifacts
    runtimes = dict.fromkeys(_PACKAGES[a.runtime] for a in artifacts)
    first = artifacts[0]
    samples = sum(first.answers.counted)
    labelled = "" if not first.answers.labels else " and their labels"
    name = Path(result.folder).resolve().name
    return "".join(
        f"{line}\n"
        for line in (
            f"{result.folder}: {plural(len(artifacts), 'artifact')}, {plural(samples, 'sample')}"
            f"{labelled}, what came of them here, and the program; {size(result.size_bytes)}.",
            f"The device needs Python 3.8 or newer, numpy and {' and '.join(runtimes)}.",
            "Next:",
            f"  scp -r {shlex.quote(result.folder)} DEVICE:",
            f"  ssh DEVICE python3 {shlex.quote(f'{name}/{RUN}')}",
            f"  scp DEVICE:{shlex.quote(f'{name}/result.json')} .",
            "  edgeopt benchmark ARTIFACT --import result.json",
        )
    )
