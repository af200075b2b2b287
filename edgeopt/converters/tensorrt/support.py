"""What of a model TensorRT can take: its parser's word, and the rules that it doesn't tell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from edgeopt.converters.refusal import Refusal
from edgeopt.converters.tensorrt.building import RefusedByParser, ask_support
from edgeopt.converters.tensorrt.complaints import failed, readable
from edgeopt.converters.tensorrt.delivery import CLASSIC, COMMAND, RTX, Builder, has
from edgeopt.converters.tensorrt.lint import Breach, lint
from edgeopt.core.errors import MissingExtraError
from edgeopt.core.ir import ir

_PATIENCE = 300.0
"""Seconds that the parser may take."""

_OTHERS = "express it with other operators, or cut the graph before it"
_QUANTIZE_AGAIN = "quantize the float model with `edgeopt convert --to tensorrt --precision int8`"


@dataclass(frozen=True)
class Report:
    """What TensorRT takes of a file.

    Args:
        mapped: The nodes that it takes, by operator.
        refused: Those that are in the way.
    """

    mapped: dict[str, int]
    refused: tuple[Refusal, ...]


def support_report(path: Path, name: str) -> Report:
    """Ask about every node of an ONNX file.

    Args:
        path: A float graph, or one with QDQ pairs.
        name: The model's, for messages.

    Raises:
        MissingExtraError: If TensorRT isn't installed.
        BuildError: If it is broken.
    """
    module = next((m for m in (RTX, CLASSIC) if has(m)), None)
    if module is None:
        raise MissingExtraError("what TensorRT takes of a model", RTX, "tensorrt")
    graph = ir.load(path).graph
    found = ask_support(Builder(module), path, name, _PATIENCE)
    refused = {(r.op, r.node): r for r in _refusals(lint(graph), found.refused)}
    ways = {(op, node) for op, node in refused if op}
    taken = (node for node in graph if (node.op_type, node.name) not in ways)
    return Report(_counted(taken), tuple(refused.values()))


def check_fits(builder: Builder, path: Path, name: str) -> None:
    """Find out before any long step whether an engine can be built of a float graph.

    Args:
        builder: What is to build it.
        path: The float graph.
        name: The model's, for messages.

    Raises:
        UnsupportedError: If its parser refuses a node; names the first and counts the others.
        BuildError: If it is broken.
    """
    if builder.module == COMMAND:  # trtexec says so when it builds
        return
    found = ask_support(builder, path, name, _PATIENCE)
    if found.refused:
        nodes = [(one.node, one.op) for one in found.refused]
        raise failed("parse", found.refused[0].reason, nodes, name)


def _refusals(breaches: Iterable[Breach], parsed: Iterable[RefusedByParser]) -> Iterator[Refusal]:
    for node in parsed:
        # The parser's own check of an operator has no more to say than that it failed.
        told = readable(node.reason)
        reason = "TensorRT has no such operator" if told in ("", "false") else told
        yield Refusal(node.op, node.node, reason, _OTHERS)
    for breach in breaches:  # they say more, and so replace what the parser says of the node
        reason = f"{breach.reason}: {breach.effect}"
        yield Refusal(breach.op, breach.node, reason, _QUANTIZE_AGAIN)


def _counted(nodes: Iterable[ir.Node]) -> dict[str, int]:
    count = Counter(node.op_type for node in nodes)
    return dict(sorted(count.items(), key=lambda item: (-item[1], item[0])))
