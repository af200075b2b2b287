"""``edgeopt calibrate``: a float model and data in, a calibration table out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import reduce
from pathlib import Path
from time import perf_counter
from typing import Any

from edgeopt.calibration.ranges import RangeMethod, convolves_images, default_method
from edgeopt.calibration.selection import ENOUGH, ENOUGH_TEXTS, chosen, sampling_for
from edgeopt.calibration.table import CalibrationTable, TableHeader
from edgeopt.calibration.table_file import load_table, read_header, save_table
from edgeopt.core.blas import one_thread
from edgeopt.core.effort import Effort
from edgeopt.core.errors import DataError, OutputError, UsageError
from edgeopt.core.files import new_folder
from edgeopt.core.ir import ir
from edgeopt.core.preprocessing import Preprocessing
from edgeopt.core.progress import Progress, silent
from edgeopt.core.record import Record
from edgeopt.core.scratch import scratch_folder
from edgeopt.data import Dataset, check_exists, fill_batches, picked
from edgeopt.pipeline.given import read_given
from edgeopt.pipeline.observation import Share, begun_table, observed
from edgeopt.pipeline.parsing import parse_names
from edgeopt.pipeline.preparation import Preparation

SUFFIX = ".table.npz"


class CalibrationResult(Record, frozen=True):
    """A table that was written.

    Args:
        path: Where it is.
        header: What it belongs to and how it was made.
        tensors: How many tensors it holds.
        size_bytes: The file's size.
        seconds: How long it took.
        hessians: Of how many layers it holds what rounding needs.
        resumed_at: How many samples a run before, which was interrupted, had observed.
        warnings: What the user should know.
    """

    path: str
    header: TableHeader
    tensors: int
    size_bytes: int
    seconds: float
    hessians: int = 0
    resumed_at: int = 0
    warnings: tuple[str, ...] = ()


def calibrate(
    model: Any,
    calibration: Any,
    *,
    output: str | Path | None = None,
    effort: str | Effort = Effort.DEFAULT,
    exact: bool = False,
    shard: str | tuple[int, int] | None = None,
    input: Iterable[str] = (),
    weights: str | Path | None = None,
    signature: str | None = None,
    preprocess: str | Path | Preprocessing | None = None,
    force: bool = False,
    code: bool = True,
    progress: Progress = silent,
) -> CalibrationResult:
    """Observe a float model on data, once, for every precision, target and runtime.

    Interrupted, and called again, it goes on where it was.

    Args:
        model: As :func:`edgeopt.convert` takes it.
        calibration: The data, as there.
        output: The table's file; ``out/<model>.table.npz`` if None.
        effort: What the table is to serve: ``fast``, ``default``, or ``high`` with what the
            rounding of weights needs.
        exact: Count every element of every activation: exact extremes, at several times the cost.
            Nets whose ranges are ``min-max`` if nothing else is asked for are counted so anyway.
        shard: ``i/n`` or ``(i, n)``: only the i-th of n equal parts of the data, i from 1.
        input: As there.
        weights: As there.
        signature: As there.
        preprocess: As there.
        force: Replace a file that isn't a calibration table.
        code: False refuses to run code that the other options name.
        progress: Told how far it is.

    Raises:
        EdgeOptError: One of its family, for anything wrong with what was given.
    """
    began = perf_counter()
    wanted = parse_names(Effort, [str(effort)], "--effort")[0]
    part = read_shard(shard)
    given = read_given(
        model, input=input, weights=weights, signature=signature, preprocess=preprocess, code=code
    )
    check_exists(calibration)
    with one_thread(), scratch_folder() as scratch:
        prepared = Preparation(given, scratch, progress)
        path = Path(output) if output else Path("out", prepared.source.name + SUFFIX)
        with new_folder(path.parent):
            check_table_replaceable(path, force=force)
            share = _share(prepared.dataset(calibration), part)
            partial = path.with_name(path.name + ".partial")
            ranges = default_method(ir.load(prepared.graph.path).graph)
            if exact:
                ranges = RangeMethod.MIN_MAX
            sampling = sampling_for(ranges, wanted, len(share.dataset))
            begun = begun_table(partial, prepared.graph, share, sampling)
            table = observed(
                prepared.graph, share, sampling, begun=begun, partial=partial, progress=progress
            )
            if wanted.rounds:
                table = with_hessians(table, prepared, share, progress)
            save_table(path, table)
            partial.unlink(missing_ok=True)
    resumed = begun.header.samples if begun is not None else 0
    return _result(path, table, perf_counter() - began, resumed)


def merge(
    tables: Sequence[str | Path], *, output: str | Path, force: bool = False
) -> CalibrationResult:
    """One table of several: that of all their samples.

    Args:
        tables: The tables' files, two or more.
        output: The new table's file; may be one of them.
        force: Replace a file that isn't a calibration table.

    Raises:
        DataError: If one can't be read, or they belong to different graphs.
    """
    began, path = perf_counter(), Path(output)
    if len(tables) < 2:
        raise UsageError("merging takes two tables or more", hint="name them one after another")
    check_table_replaceable(path, force=force)
    first, *others = (load_table(Path(table)) for table in tables)
    for named, table in zip(tables[1:], others, strict=True):
        check_belongs(table, first.header.graph_sha256, named, f"the table {tables[0]}")
    merged = reduce(CalibrationTable.merge, others, first)
    with new_folder(path.parent):
        save_table(path, merged)
    return _result(path, merged, perf_counter() - began)


def read_shard(shard: str | tuple[int, int] | None) -> tuple[int, int]:
    """Read ``--shard``: ``2/8`` is ``(2, 8)``; all of it is ``(1, 1)``.

    Raises:
        UsageError: If it isn't one of n parts.
    """
    text = "/".join(map(str, shard)) if isinstance(shard, tuple) else (shard or "1/1")
    first, _, second = text.partition("/")
    if not (first.isdecimal() and second.isdecimal() and 1 <= int(first) <= int(second)):
        raise UsageError(f"--shard: {text!r} is not i/n", hint="the second of eight parts is 2/8")
    return int(first), int(second)


def check_table_replaceable(path: Path, *, force: bool) -> None:
    """Refuse to overwrite what isn't a calibration table.

    Raises:
        OutputError: If something else is there, and not ``force``.
    """
    if force or not path.exists():
        return
    try:
        read_header(path)
    except DataError as error:
        raise OutputError(
            f"{path}: is there already and is not a calibration table",
            hint="choose another file with -o, or replace it with --force",
        ) from error


def check_belongs(table: CalibrationTable, graph_sha256: str, path: str | Path, to: str) -> None:
    """Refuse a table of another float graph.

    Raises:
        DataError: If it is.
    """
    if table.header.graph_sha256 != graph_sha256:
        raise DataError(
            f"{path}: was not made from the float graph of {to}",
            hint="calibrate this model, with the same --input and the same version of EdgeOpt",
        )


def with_hessians(
    table: CalibrationTable, prepared: Preparation, share: Share, progress: Progress
) -> CalibrationTable:
    """The table with what the rounding of weights needs, from a few of the share's samples."""
    from edgeopt.calibration.hessians import collect_hessians

    images = convolves_images(ir.load(prepared.graph.path).graph)
    most = ENOUGH if images else ENOUGH_TEXTS
    places = chosen(share.start, share.stop, len(share.dataset), most)
    hessians = collect_hessians(
        prepared.graph,
        fill_batches(picked(share.dataset, places), prepared.graph.inputs),
        total=len(places),
        progress=progress,
    )
    return CalibrationTable(table.header, table.tensors, hessians)


def _share(dataset: Dataset, part: tuple[int, int]) -> Share:
    index, count = part
    start, stop = (len(dataset) * i // count for i in (index - 1, index))
    if start == stop:
        raise DataError(
            f"--shard {index}/{count} is empty: there are {len(dataset)} samples",
            hint="cut the data into fewer parts",
        )
    return Share(dataset, start, stop)


def _result(
    path: Path, table: CalibrationTable, seconds: float, resumed: int = 0
) -> CalibrationResult:
    return CalibrationResult(
        path=str(path),
        header=table.header,
        tensors=len(table.tensors),
        size_bytes=path.stat().st_size,
        seconds=seconds,
        hessians=len(table.hessians),
        resumed_at=resumed,
        warnings=table.warnings,
    )
