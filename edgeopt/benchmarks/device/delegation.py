"""Which part of a model XNNPACK took over: the partitions, and the nodes left outside of them.

Every boundary between a partition and the rest costs a copy and a change of kernels, so that one
partition that holds everything is the aim.
"""

from __future__ import annotations

from typing import Any, Dict, List, Set

DELEGATE = "DELEGATE"


def delegation(interpreter: Any) -> Dict[str, Any]:
    """What an interpreter with its tensors allocated hands to its delegate.

    LiteRT appends a DELEGATE node for each partition and keeps the nodes that it replaces, so that
    those are found by walking back from what a partition gives to what it takes.

    Returns:
        ``nodes``: how many the model has; ``partitions``; ``outside``: of each node that the
        built-in kernels compute its ``op`` and the name of the ``tensor`` it gives.
    """
    details = interpreter._get_ops_details()
    nodes = [node for node in details if node["op_name"] != DELEGATE]
    partitions = [node for node in details if node["op_name"] == DELEGATE]
    writers = {int(t): n for n, node in enumerate(nodes) for t in node["outputs"]}
    taken: Set[int] = set()
    for partition in partitions:
        taken |= _covered(partition, nodes, writers)
    names = {int(t["index"]): str(t["name"]) for t in interpreter.get_tensor_details()}
    outside = [
        {"op": str(node["op_name"]), "tensor": _gives(node, names)}
        for n, node in enumerate(nodes)
        if n not in taken
    ]
    return {
        "nodes": len(nodes),
        "partitions": len(partitions),
        "outside": outside,
    }


def _covered(
    partition: Dict[str, Any], nodes: List[Dict[str, Any]], writers: Dict[int, int]
) -> Set[int]:
    given = {int(t) for t in partition["inputs"]}
    waiting = [int(t) for t in partition["outputs"]]
    found: Set[int] = set()
    while waiting:
        tensor = waiting.pop()
        node = writers.get(tensor)
        if node is None or node in found or tensor in given:
            continue
        found.add(node)
        waiting += [int(t) for t in nodes[node]["inputs"] if int(t) not in given]
    return found


def _gives(node: Dict[str, Any], names: Dict[int, str]) -> str:
    return next((names[int(t)] for t in node["outputs"] if int(t) in names), "")
