"""What a kit does on the device: build the engine, say what it is, time it."""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
from typing import Any, Dict, List, Optional, Sequence

from .build import build
from .failure import Failure
from .layers import described, floating
from .results import measurement
from .timing import time_engine
from .trtexec import VARIABLE, build_by_trtexec, find

RTX = "tensorrt_rtx"

DONE, NO_INTEGERS, FAILED, UNABLE = 0, 1, 2, 3
"""Exit codes; they mean what EdgeOpt's do."""


def main(folder: str, arguments: Sequence[str]) -> int:
    """Build and time the engine of a kit.

    Args:
        folder: The kit.
        arguments: Of the command line.
    """
    options = _parser(folder).parse_args(arguments)
    order = _read(os.path.join(folder, "kit.json"))
    if options.module:
        order["modules"] = [options.module]
    manifest = _read(os.path.join(folder, "manifest.json"))
    engine = os.path.join(options.output, manifest["artifact"])
    try:
        _check_free(engine, options.force)
        built = _build(folder, engine, order)
        stayed = floating(built["layers"], order["planned"])
        path = _settle(engine, order, stayed)
        _describe(manifest, path, built, order, stayed)
        _write(path + ".json", manifest)
        _say(path, order, stayed)
        if path != engine:
            return NO_INTEGERS
        if options.duration > 0:
            _time(path, order, manifest, options.duration)
    except Failure as failure:
        sys.stderr.write("Error: {}\n".format(_shown(" ".join(failure.reason.split()))))
        return UNABLE if failure.stage == "module" else FAILED
    return DONE


def _parser(folder: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="run.py", description=__doc__)
    parser.add_argument(
        "-o", "--output", default=os.path.dirname(os.path.abspath(folder)),
        help="where the engine goes: beside the kit if not given",
    )  # fmt: skip
    parser.add_argument(
        "--duration", type=float, default=5.0, help="seconds of timing; 0 leaves it out"
    )
    parser.add_argument("--module", help="the Python module to build with, whatever the target")
    parser.add_argument("--force", action="store_true", help="replace what is there")
    return parser


def _check_free(engine: str, force: bool) -> None:
    """Refuse to replace an engine that this kit didn't make."""
    beside = engine + ".json"
    if force or not os.path.exists(engine):
        return
    known = _read(beside).get("sha256") if os.path.exists(beside) else None
    if known != _digest(engine):
        raise Failure("output", "{} is there already: move it away, or --force".format(engine))


def _build(folder: str, engine: str, order: Dict[str, Any]) -> Dict[str, Any]:
    request = {
        "onnx": os.path.join(folder, "model.onnx"),
        "engine": engine,
        "profiles": order["profiles"],
        "memory": order["memory"],
        "timing_cache": None,
    }
    missing: List[str] = []
    for module in order["modules"]:
        capability = order["capability"] if module == RTX else None
        try:
            built = build(dict(request, module=module, capability=capability))
        except Failure as failure:
            if failure.stage != "module":
                raise
            missing.append(failure.reason)
            continue
        return dict(built, builder="{} {}".format(module, built["version"]))
    if find() is None:
        raise Failure(
            "module",
            "TensorRT is not here: {}; and no trtexec, which {} may name. On a Jetson it comes "
            "with JetPack: apt install tensorrt python3-libnvinfer".format(
                "; ".join(missing), VARIABLE
            ),
        )
    built = build_by_trtexec(request)
    return dict(built, builder="trtexec {}".format(built["version"]))


def _settle(engine: str, order: Dict[str, Any], stayed: List[Dict[str, str]]) -> str:
    """Where the engine stays: under another name if nothing in it is integer that was to be."""
    if not order["planned"] or len(stayed) < len(order["planned"]):
        return engine
    os.replace(engine, engine + ".failed")
    return engine + ".failed"


def _describe(
    manifest: Dict[str, Any],
    path: str,
    built: Dict[str, Any],
    order: Dict[str, Any],
    stayed: List[Dict[str, str]],
) -> None:
    """Fill in what was not known where the kit was made."""
    manifest["artifact"] = os.path.basename(path)
    manifest["sha256"] = _digest(path)
    manifest["size_bytes"] = os.path.getsize(path)
    manifest["engine"]["builder"] = built["builder"]
    manifest["engine"]["layers"] = [described(layer) for layer in built["layers"]]
    if order["planned"]:
        manifest["integer_layers"] = len(order["planned"]) - len(stayed)
        manifest["float_layers"] = list(manifest["float_layers"]) + stayed


def _say(path: str, order: Dict[str, Any], stayed: List[Dict[str, str]]) -> None:
    planned = len(order["planned"])
    sys.stdout.write("{}: built".format(_shown(path)))
    if planned:
        sys.stdout.write(", {} of {} layers integer".format(planned - len(stayed), planned))
    sys.stdout.write("\n")
    for layer in stayed:
        sys.stderr.write("Warning: {}\n".format(_shown("{op} {node}: {reason}".format(**layer))))


def _time(path: str, order: Dict[str, Any], manifest: Dict[str, Any], seconds: float) -> None:
    taken = time_engine(path, order["profiles"], order["inputs"], seconds)
    first: Optional[List[List[int]]] = next(iter(order["profiles"].values()), None)
    batch = first[1][0] if first and first[1] else 1
    found = measurement(manifest, path, batch, taken, seconds)
    result = "{}.{}.benchmark.json".format(path, found["target"])
    _write(result, found)
    latency, stages = found["latency"], found["stages"]
    told = "{}: {:.3f} ms (median of {} calls; {:.3f} to the GPU, {:.3f} computing, {:.3f} back)"
    parts = (stages["h2d_ms"], stages["compute_ms"], stages["d2h_ms"])
    sys.stdout.write(told.format(_shown(result), latency["p50"], latency["count"], *parts) + "\n")


def _shown(text: str) -> str:
    """Text as one line that a terminal shows and doesn't obey."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _digest(path: str) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        for chunk in iter(lambda: file.read(1 << 20), b""):
            digest.update(chunk)
    return digest.hexdigest()


def _read(path: str) -> Dict[str, Any]:
    with open(path, encoding="utf-8") as file:
        content: Dict[str, Any] = json.load(file)
    return content


def _write(path: str, content: Dict[str, Any]) -> None:
    with open(path + ".part", "w", encoding="utf-8") as file:
        json.dump(content, file, indent=2)
        file.write("\n")
    os.replace(path + ".part", path)
