"""Every artifact in this process, timed in turns: what differs between them is then theirs."""

from __future__ import annotations

import gc
from typing import Any, Dict, List

from .blocks import Run, Warmup, timed_block, warm_up
from .conditions import conditions
from .failure import during
from .request import Request
from .runtimes import Runtime
from .schedule import block_lengths, block_order, creation_order, generator


def measure(request: Request) -> Dict[str, Any]:
    """Create all sessions in random order, warm them up, then time blocks in random order.

    Returns:
        ``runtimes`` and ``warmups``: by artifact; ``created``: the order of creation; ``blocks``:
        in the order of their turns, each the artifact's index and its calls' times in ns.

    Raises:
        Failure: If an artifact can't be loaded or run.
    """
    names = [subject.runtime for subject in request.subjects]
    runtimes = {name: Runtime(name) for name in sorted(set(names))}
    rng = generator(request.seed)
    created = creation_order(len(request.subjects), rng)
    before = conditions()
    runs = _open_all(request, runtimes, created)
    warmups = _warm_all(request, runs, created)
    rounds, calls = block_lengths(
        [warmups[index].call_ns for index in range(len(runs))], request.duration_seconds * 1e9
    )
    order = block_order(len(runs), rounds, rng)
    return {
        "runtimes": [runtimes[name].as_json() for name in names],
        "created": created,
        "warmups": [warmups[index].as_json() for index in range(len(runs))],
        "before": before,
        "blocks": _time_all(runs, calls, order),
        "after": conditions(),
    }


def _open_all(request: Request, runtimes: Dict[str, Runtime], created: List[int]) -> Dict[int, Run]:
    runs = {}
    for index in created:
        subject = request.subjects[index]
        inputs = subject.arrays(index)
        with during("load", index):
            session = runtimes[subject.runtime].open(subject.path, request.threads)
        with during("run", index):
            runs[index] = session.bind(inputs)
    return runs


def _warm_all(request: Request, runs: Dict[int, Run], created: List[int]) -> Dict[int, Warmup]:
    warmups = {}
    for index in created:
        with during("run", index):
            runs[index]()  # the first inference allocates: it is no part of how a model settles
            warmups[index] = warm_up(runs[index], request.warmup_seconds * 1e9)
    return warmups


def _time_all(runs: Dict[int, Run], calls: List[int], order: List[int]) -> List[Dict[str, Any]]:
    blocks = []
    gc.collect()
    gc.disable()  # a collection in the middle of a call would be counted as the model's
    try:
        for index in order:
            with during("run", index):
                block = timed_block(runs[index], calls[index])
            blocks.append({"artifact": index, "ns": block})
    finally:
        gc.enable()
    return blocks
