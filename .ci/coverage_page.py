"""What the tests run of the package, by module: a page of the documentation.

``make coverage`` runs all tests under coverage, with the processes that they start, and then this.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "reference" / "coverage.md"
ENOUGH = 80
"""Per cent; a module with less is listed by itself, and needs a reason."""

DEVICE = "the program on a device: tests' sshd, the bundle's zip and QEMU start it without coverage"
ENGINE = "the program that builds engines: started apart, and its timing needs a GPU"
HOLES = {
    "edgeopt/benchmarks/device/__main__.py": DEVICE,
    "edgeopt/benchmarks/device/answers.py": DEVICE,
    "edgeopt/benchmarks/device/conversation.py": DEVICE,
    "edgeopt/benchmarks/device/describe.py": DEVICE,
    "edgeopt/benchmarks/device/machine.py": "other systems than Linux on x86, and boards",
    "edgeopt/benchmarks/device/memory.py": "other systems than Linux",
    "edgeopt/benchmarks/device/start.py": DEVICE,
    "edgeopt/cli/views/device.py": "what the Edge TPU's compiler says, which can't be had here",
    "edgeopt/cli/views/diagnosis_result.py": "finds that the nets of its own tests do not have",
    "edgeopt/converters/evaluation.py": "operators that ONNX Runtime lacks, by ONNX's reference",
    "edgeopt/converters/micro/interpret.py": "runs in a process of its own, ended without a word",
    "edgeopt/converters/official/litert_torch.py": "its tests need an environment of their own",
    "edgeopt/converters/reordering/rules.py": "each rule's way out, where a node isn't as it knows",
    "edgeopt/converters/tensorrt/device/__main__.py": ENGINE,
    "edgeopt/converters/tensorrt/device/memory.py": ENGINE,
    "edgeopt/converters/tensorrt/device/timing.py": ENGINE,
    "edgeopt/converters/tensorrt/quantized_file.py": "files that others refuse with a message",
    "edgeopt/converters/tflite/ops/broadcasting.py": "refusals; Expand of what the model computes",
    "edgeopt/converters/tflite/ops/gathering.py": "refusals; picking constants, and from the batch",
    "edgeopt/core/gpu.py": "there was no GPU",
    "edgeopt/core/ir.py": "an onnx-ir whose deferred import no longer works",
    "edgeopt/core/leashed.py": "ends its process at once when the one that started it is gone",
    "edgeopt/reports/figures.py": "numbers that aren't known",
}
"""Modules that have less, and why that is."""

HEAD = """# What the tests run

Every statement and branch of the package, by coverage.py over all tests but those marked `timing`
and `litert_torch`, in the processes that tests start too. Not counted is what runs where coverage
is not installed or can't write: the environments made from the sdist and the wheel, programs under
QEMU or Python 3.8, and whatever is killed. So the figures are a little low. `make coverage` writes
this page.

| module | statements | not run | branches | half run | covered |
|---|---|---|---|---|---|
"""


class Sum:
    """Figures of one module, or of several."""

    def __init__(self) -> None:
        self.statements = self.missing = self.branches = self.partial = self.untaken = 0

    def add(self, figures: dict[str, int]) -> None:
        """Take in a file's, by coverage's names."""
        self.statements += figures["num_statements"]
        self.missing += figures["missing_lines"]
        self.branches += figures["num_branches"]
        self.partial += figures["num_partial_branches"]
        self.untaken += figures["missing_branches"]

    @property
    def share(self) -> float:
        """Of statements and branches, in per cent."""
        whole = self.statements + self.branches
        return 100 * (1 - (self.missing + self.untaken) / whole) if whole else 100.0

    def row(self, name: str) -> str:
        """A line of the table."""
        figures = (self.statements, self.missing, self.branches, self.partial)
        return f"| {name} | {' | '.join(f'{n:,}' for n in figures)} | {self.share:.1f} % |"


def page(files: dict[str, dict[str, dict[str, int]]]) -> str:
    """The page, from coverage's JSON."""
    whole, folders, low = Sum(), defaultdict(Sum), []
    for file, found in sorted(files.items()):
        name = Path(file).as_posix()
        alone = Sum()
        for each in (whole, folders[Path(name).parent.as_posix()], alone):
            each.add(found["summary"])
        if alone.share < ENOUGH:
            low.append((name, alone))
    rows = [folders[name].row(f"`{name}`") for name in sorted(folders)]
    lines = [HEAD + "\n".join([*rows, whole.row("**all**")]), "", f"## Below {ENOUGH} %", ""]
    lines += ["| file | covered | why |", "|---|---|---|"]
    lines += [f"| `{n}` | {s.share:.0f} % | {HOLES.get(n, '?')} |" for n, s in low]
    return "\n".join(lines) + "\n"


def main(path: str) -> int:
    """Write the page; 1 if a hole has no reason."""
    files = json.loads(Path(path).read_text(encoding="utf-8"))["files"]
    written = page(files)
    PAGE.write_text(written, encoding="utf-8")
    without = [line for line in written.splitlines() if line.endswith("| ? |")]
    print("\n".join(["no reason yet:", *without] if without else [f"wrote {PAGE.name}"]))
    return int(bool(without))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
