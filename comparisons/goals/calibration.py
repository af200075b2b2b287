"""Calibration: its time, its memory, the laws of its tables."""

from __future__ import annotations

from functools import partial

from figures import at_most

from goals.listing import by_run, by_test

_calibrate = partial(by_run, "calibrate")

CALIBRATION = (
    _calibrate("calibrate.default", "`edgeopt calibrate`, over plain inference", at_most(1.6, "x")),
    _calibrate(
        "calibrate.fast",
        "`edgeopt calibrate --effort fast`, over plain inference",
        at_most(1.1, "x"),
    ),
    _calibrate(
        "calibrate.exact", "`edgeopt calibrate --exact`, over plain inference", at_most(5, "x")
    ),
    _calibrate("calibrate.memory", "`edgeopt calibrate`, peak memory", at_most(200, "MB")),
    _calibrate(
        "calibrate.memory-fast",
        "`edgeopt calibrate --effort fast`, peak memory",
        at_most(200, "MB"),
    ),
    *(
        by_run("growth", f"growth.{key}{name}", f"{what}, memory a sample, {counts}", goal)
        for name, what, goal in (
            ("default", "`edgeopt calibrate`", at_most(2, "kB")),
            ("fast", "`edgeopt calibrate --effort fast`", at_most(2, "kB")),
            ("exact", "`edgeopt calibrate --exact`", at_most(2, "kB")),
            ("convert", "`edgeopt convert`", None),
        )
        for key, counts, goal in (
            ("", "32 to 4,096", goal),
            ("full.", "512 to 4,096 (buffers full)", None),
        )
    ),
    by_test(
        "tables.merge",
        "merging tables is associative and commutative, and gives the whole's",
        "tests/calibration/test_table.py::test_merging_is_associative_commutative_and_whole",
    ),
    by_test(
        "tables.shards",
        "shards merge to the whole bit for bit",
        "tests/calibration/test_observer.py::test_shards_merge_to_the_whole_bit_for_bit",
    ),
    by_test(
        "tables.order",
        "neither order nor threads change a bit",
        "tests/pipeline/test_calibrate.py::test_neither_order_nor_threads_change_a_bit",
    ),
    by_test(
        "tables.killed",
        "killed in the middle, it goes on to the same table",
        "tests/pipeline/test_calibrate.py::test_killed_in_the_middle_it_goes_on_to_the_same_table",
    ),
    by_test(
        "ranges.entropy",
        "entropy differs from min-max on a heavy tail",
        "tests/calibration/test_ranges.py::test_entropy_differs_from_min_max_on_a_heavy_tail",
    ),
)
