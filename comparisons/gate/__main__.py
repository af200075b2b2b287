"""How often the latency gate is wrong: false alarms and what is missed, counted.

    .venv/bin/python comparisons/gate collect quiet --until 900    # adds to data/quiet.0.jsonl
    .venv/bin/python comparisons/gate collect noisy --until 1200
    .venv/bin/python comparisons/gate judge --write                # the documentation's tables
    .venv/bin/python comparisons/gate time --runs 10               # how long a verdict takes

Collecting may be interrupted at any time, and goes on where it was. The rest only reads.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1]))  # comparisons/, for its pages

from curve import drawn
from duration import shown, timed
from pages import put
from pool import CONDITIONS, collect, held_out, tuning
from tables import CANDIDATES, Pool, beside, count, counted, rivals, spreads

PAGE = Path(__file__).resolve().parents[2] / "docs" / "guide" / "error-rates.md"
CURVE = PAGE.with_suffix(".svg")


def main() -> int:
    """Run one of the three."""
    options = parse()
    if options.action == "collect":
        collect(options.condition, options.part, options.until)
    elif options.action == "time":
        runs = timed(options.runs)
        if options.json:
            print(json.dumps({"lines": [*shown(runs)], "runs": runs}))
        else:
            put(PAGE, "time", [*shown(runs)], write=options.write)
    elif options.json:
        print(json.dumps(told()))
    else:
        judge(write=options.write)
    return 0


def told() -> dict[str, object]:
    """What is counted, for ``comparisons/gate_verdicts.py``."""
    pools = [Pool(name, tuning(name), held_out(name)) for name in CONDITIONS]
    counts = [count(pool, arm) for pool in pools for arm in CANDIDATES]
    return {
        "lines": [*counted(pools), "", *beside(pools)],
        "counts": [asdict(each) for each in counts],
        "rivals": [*rivals(pools)],
    }


def judge(*, write: bool) -> None:
    """Count verdicts on what has been collected.

    Args:
        write: Put the tables and the curve into the documentation.
    """
    pools = [Pool(name, tuning(name), held_out(name)) for name in CONDITIONS]
    put(PAGE, "verdicts", [*counted(pools)], write=write)
    put(PAGE, "beside", [*beside(pools)], write=write)
    put(PAGE, "spread", [*spreads(pools)], write=write)
    if write:
        CURVE.write_text(drawn(pools), encoding="utf-8")


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    actions = parser.add_subparsers(dest="action", required=True)
    collecting = actions.add_parser("collect", help="add processes to a pool")
    collecting.add_argument("condition", choices=CONDITIONS)
    collecting.add_argument("--part", type=int, default=0, help="which file; 0 if not given")
    collecting.add_argument("--until", type=int, default=900, help="how many there are to be")
    judging = actions.add_parser("judge", help="count verdicts")
    judging.add_argument("--write", action="store_true", help="into the documentation")
    judging.add_argument("--json", action="store_true", help="counts alone")
    timing = actions.add_parser("time", help="time the command itself")
    timing.add_argument("--runs", type=int, default=10)
    timing.add_argument("--write", action="store_true", help="into the documentation")
    timing.add_argument("--json", action="store_true", help="every run")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
