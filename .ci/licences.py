"""The licences of everything that EdgeOpt needs: read from what is installed, written as a page.

``make licences`` writes docs/reference/licences.md. A test compares the page, and fails for a
package whose licence isn't known here or doesn't go with Apache-2.0.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "reference" / "licences.md"

COMPATIBLE = {
    *("0BSD", "Apache-2.0", "Apache-2.0 WITH LLVM-exception", "BSD", "BSD-2-Clause"),
    *("BSD-3-Clause", "BSL-1.0", "CC0-1.0", "MIT", "MIT-0", "MIT-CMU", "PSF-2.0", "Zlib"),
    # It covers its own files, which nobody changes here, and not what uses them.
    "MPL-2.0",
}
"""What a package that is licensed as Apache-2.0 may depend on."""

EXCEPTIONS = {
    "tensorrt-rtx": "NVIDIA's own licence, proprietary. Read it before you use or hand on what it "
    "builds; by its section 9 you agree that it may collect information about the computer, though "
    "not about persons. Only the extra `tensorrt` installs it, and nothing of it is in EdgeOpt.",
}
"""Packages that are needed with another licence, and why that may be."""
for _part in ("cu13", "cu13-bindings", "cu13-libs"):
    EXCEPTIONS[f"tensorrt-rtx-{_part}"] = "A part of tensorrt-rtx."

BY_HAND = {
    "docutils": (
        "BSD-2-Clause",
        "or in the public domain; one file for Emacs, unused, is GPL",
    ),
    "hatchling": ("MIT", "in the environment of a build only, which pip makes and removes"),
    "litert-torch": ("Apache-2.0", "an environment of its own: what it needs isn't listed here"),
    "namex": ("Apache-2.0", "says so in its LICENSE only"),
    "tflite-micro": ("Apache-2.0", "its wheel says nothing: this is its source's LICENSE"),
}
"""Licences that a package's metadata don't tell, or not well enough, and where they are from."""

ONLY_WITH_CUDA = ("cuda-", "nvidia-", "triton")
"""How the names of those packages begin that only PyTorch's build for CUDA needs."""

SPELLINGS = {
    "Apache 2.0": "Apache-2.0",
    "Apache License 2.0": "Apache-2.0",
    "Apache License Version 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD",
    "BSD 2-Clause License": "BSD-2-Clause",
    "BSD 3-Clause": "BSD-3-Clause",
    "3-Clause BSD License": "BSD-3-Clause",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "PSFL": "PSF-2.0",
    "Python Software Foundation License": "PSF-2.0",
    "Other/Proprietary License": "proprietary",
    "Proprietary": "proprietary",
}

DEVELOPMENT = "development"


@dataclass
class Needed:
    """A package that something of EdgeOpt needs.

    Args:
        licence: As an SPDX expression; None if it can't be told.
        by: ``EdgeOpt``, extras, or ``development``.
    """

    licence: str | None
    by: set[str] = field(default_factory=set)


def licence(package: metadata.Distribution) -> str | None:
    """What a package says of itself, as an SPDX expression; None for what isn't understood."""
    said = package.metadata
    expression = str(said["License-Expression"] or "")
    if by_hand := BY_HAND.get(canonicalize_name(said["Name"])):
        return str(by_hand[0])
    if expression:
        return expression
    text = " ".join((said["License"] or "").splitlines()[0:2]).strip()
    classifiers = [c.rpartition("::")[2].strip() for c in said.get_all("Classifier", [])
                   if c.startswith("License ::")]  # fmt: skip
    for each in (text, text.partition("  ")[0], *classifiers):
        found = SPELLINGS.get(re.sub(r"\s+", " ", each), each)
        if found and (fits(found) or found == "proprietary"):
            return found
    return None


def fits(expression: str) -> bool:
    """Whether an SPDX expression allows a use that goes with Apache-2.0."""
    ways = [way.split(" AND ") for way in re.sub(r"[()]", "", expression).split(" OR ")]
    return any(all(each.strip() in COMPATIBLE for each in way) for way in ways)


def wrong(needed: dict[str, Needed]) -> list[str]:
    """The packages whose licence isn't known or doesn't fit, each with what it is."""
    return [
        f"{name}: {each.licence or 'its licence is not known'}"
        for name, each in sorted(needed.items())
        if name not in EXCEPTIONS and not (each.licence and fits(each.licence))
    ]


def _wanted() -> Iterator[tuple[str, Requirement]]:
    """What pyproject.toml asks for, with who asks."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    for each in project["project"]["dependencies"]:
        yield "EdgeOpt", Requirement(each)
    for extra, wanted in project["project"]["optional-dependencies"].items():
        for each in wanted:
            yield f"`{extra}`", Requirement(each)
    for group, wanted in project["dependency-groups"].items():
        for each in filter(lambda e: isinstance(e, str), wanted):
            yield "`tensorflow`" if group == "tensorflow" else DEVELOPMENT, Requirement(each)
    for each in project["build-system"]["requires"]:
        yield DEVELOPMENT, Requirement(each)


def everything(path: list[str]) -> dict[str, Needed]:
    """Every package that EdgeOpt, its extras or working on it needs, if it is on that path."""
    installed = {
        canonicalize_name(d.metadata["Name"]): d for d in metadata.distributions(path=path)
    }
    found: dict[str, Needed] = {}

    def add(asks: str, wanted: Requirement, extras: set[str]) -> None:
        name = canonicalize_name(wanted.name)
        if name.startswith(("edgeopt", *ONLY_WITH_CUDA)) or not _applies(wanted, extras):
            return
        package = installed.get(name)
        if package is None:
            if name in BY_HAND:
                found.setdefault(name, Needed(BY_HAND[name][0])).by.add(asks)
            return
        entry = found.setdefault(name, Needed(licence(package)))
        if asks in entry.by and not wanted.extras:
            return
        entry.by.add(asks)
        for each in package.requires or []:
            add(asks, Requirement(each), wanted.extras)

    for asks, wanted in _wanted():
        add(asks, wanted, set())
    return found


def _applies(wanted: Requirement, extras: set[str]) -> bool:
    if wanted.marker is None:
        return True
    return any(wanted.marker.evaluate({"extra": extra}) for extra in (extras or {""}))


def page(needed: dict[str, Needed]) -> str:
    """The page of the documentation."""
    lines = [
        "# Licences of dependencies",
        "",
        "EdgeOpt is licensed under Apache-2.0. These are the packages that it needs, that its",
        "extras add, and that are only for working on EdgeOpt itself, at the versions of",
        "`constraints.txt` on Linux; what is bundled in a package's wheel is licensed as the files",
        "in that wheel say. `make licences` writes this page; a test fails for a licence that",
        "doesn't go with Apache-2.0.",
        "",
        "PyTorch's default build for Linux needs NVIDIA's CUDA packages, which are proprietary and",
        "aren't listed; its build for the CPU, which README.md names, needs none of them.",
        "",
        "| package | licence | needed by |",
        "|---|---|---|",
    ]
    for name, each in sorted(needed.items()):
        by = {"EdgeOpt"} if "EdgeOpt" in each.by else each.by
        by = by - {DEVELOPMENT, "`all`"} or by
        lines.append(f"| {name} | {each.licence} | {', '.join(sorted(by))} |")
    lines += ["", "## Not as they say", ""]
    lines += [f"- **{n}**: {why}." for n, (_, why) in sorted(BY_HAND.items()) if n in needed]
    lines += ["", "## Exceptions", ""]
    lines += [f"- **{name}**: {why}" for name, why in sorted(EXCEPTIONS.items()) if name in needed]
    return "\n".join(lines) + "\n"


def main(path: list[str]) -> int:
    """Write the page from what is installed in these folders."""
    needed = everything(path)
    PAGE.write_text(page(needed), encoding="utf-8")
    faults = wrong(needed)
    print("\n".join(faults or [f"{PAGE.relative_to(ROOT)}: {len(needed)} packages"]))
    return int(bool(faults))


if __name__ == "__main__":
    sys.exit(main([*sys.path, *sys.argv[1:]]))
