"""What XNNPACK computes of a TFLite model, in a sentence."""

from __future__ import annotations

from collections import Counter

from edgeopt.cli.figures import plural
from edgeopt.core.manifest import Delegation


def delegated(found: Delegation) -> str:
    """``XNNPACK computes 30 of 32 nodes, in 2 partitions; not 2 SOFTMAX``, without a full stop."""
    nodes, outside = found.nodes, Counter(node.op for node in found.outside)
    if nodes == 1:
        return f"XNNPACK {'computes' if found.partitions else 'leaves out'} its only node"
    if not found.partitions:
        return f"XNNPACK computes none of its {nodes} nodes"
    share = f"all {nodes}" if not outside else f"{nodes - outside.total()} of {nodes}"
    left = ", ".join(f"{count} {op}" for op, count in sorted(outside.items()))
    parts = plural(found.partitions, "partition")
    return f"XNNPACK computes {share} nodes, in {parts}{'; not ' + left if left else ''}"
