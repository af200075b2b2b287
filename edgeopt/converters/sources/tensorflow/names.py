"""Node names as the user knows them: the layers', without TensorFlow's scopes around them."""

from __future__ import annotations

import re

from edgeopt.core.ir import ir

_NUMBERED = re.compile(r"_\d+$")


def plain_names(graph: ir.Graph) -> None:
    """Leave out the model's own scope, and the number that tracing once more gives to each.

    ``mobilenet_1/conv_1/convolution`` becomes ``conv/convolution``. Where two would have one
    name both keep theirs.
    """
    scopes = {(node.name or "").partition("/")[0] for node in graph if "/" in (node.name or "")}
    prefix = f"{scopes.pop()}/" if len(scopes) == 1 else ""
    new = {node: _plain(node.name or "", prefix) for node in graph}
    count: dict[str, int] = {}
    for name in new.values():
        count[name] = count.get(name, 0) + 1
    for node, name in new.items():
        node.name = name if count[name] == 1 else node.name


def _plain(name: str, prefix: str) -> str:
    *scopes, operator = name.removeprefix(prefix).split("/")
    return "/".join([*(_NUMBERED.sub("", scope) for scope in scopes), operator])
