"""How many samples there are, and of which classes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from itertools import islice

from edgeopt.core.errors import DataError
from edgeopt.pipeline.validation.limits import ENOUGH, Limits
from edgeopt.pipeline.validation.records import Finding, Level
from edgeopt.pipeline.validation.scan import EXAMPLES, Scan
from edgeopt.pipeline.validation.words import plural, some


def evenness(counts: Mapping[int, int], classes: int) -> float:
    """Shannon's entropy of the classes over the greatest it could be (E. C. Pielou, 1966).

    Args:
        counts: Samples by class.
        classes: How many classes there are, those without a sample among them.

    Returns:
        1 where all are equally frequent, 0 where there is only one.
    """
    total = sum(counts.values())
    if classes < 2 or not total:
        return 1.0 if classes else 0.0
    shares = [count / total for count in counts.values() if count]
    return max(0.0, -sum(p * math.log(p) for p in shares)) / math.log(classes)


def check_count(scan: Scan, limits: Limits) -> Finding:
    """Whether there are enough samples."""
    fewest, enough = limits.samples, limits.samples * ENOUGH
    level = Level.FAIL if scan.samples < fewest else Level.PASS
    if level is Level.PASS and scan.samples < enough:
        level = Level.WARN
    return Finding(
        name="samples", level=level, found=plural(scan.samples, "sample"),
        limit=f"at least {fewest:,}, better {enough:,}",
        why="too few to tell the ranges of activations from" if level is Level.FAIL else
        "more would tell the ranges of activations better" if level is Level.WARN else "",
        figures={"samples": scan.samples},
    )  # fmt: skip


def check_classes(scan: Scan, limits: Limits, classes: int | None, data: str) -> Iterator[Finding]:
    """Whether every class is there, and often enough.

    Args:
        scan: What was counted.
        limits: What is allowed.
        classes: How many there are; as many as are seen if None.
        data: ``evaluation`` or nothing, for the findings.

    Raises:
        DataError: If a label isn't one of them.
    """
    if not scan.labelled:
        return
    if scan.unlabelled.count:
        yield _not_finite(scan, data)
    if scan.classed < scan.samples:
        why = "the labels are no whole numbers, so no classes"
        yield Finding(name="classes", level=Level.SKIPPED, data=data, why=why)
        return
    check_labels(scan, classes)
    count = classes or max(scan.classes) + 1
    missing = count - len(scan.classes)
    # Not all that are missing: labels may be numbers of any size.
    first = islice((each for each in range(count) if each not in scan.classes), EXAMPLES)
    yield Finding(
        name="classes", level=Level.WARN if missing else Level.PASS, data=data,
        found=f"{len(scan.classes):,} of {count:,}", limit="all of them",
        why=f"no sample of class {some([*map(str, first)], missing)}"
        if missing else "",
        figures={"classes": len(scan.classes), "missing": missing},
    )  # fmt: skip
    yield _balance(scan, limits, count, data)


def _not_finite(scan: Scan, data: str) -> Finding:
    bad = scan.unlabelled
    return Finding(
        name="finite", level=Level.FAIL, subject="labels", data=data,
        found=f"{bad.values:,} of NaN or infinity",
        why=f"in {bad.count:,} of {scan.samples:,} samples, the first of them {bad.examples[0]}",
        examples=tuple(bad.examples), figures={"samples": bad.count, "values": bad.values},
    )  # fmt: skip


def check_names(data: Scan, evaluation: Scan) -> None:
    """Refuse folders of classes that aren't the same: a class is the place of its name.

    Raises:
        DataError: If both have such and they differ.
    """
    names = [getattr(scan.dataset, "classes", ()) for scan in (data, evaluation)]
    if not all(names) or names[0] == names[1]:
        return
    ours, theirs = (scan.dataset.record(0, 0).location for scan in (data, evaluation))
    differing = sorted(set(names[0]) ^ set(names[1]))
    named = some(differing[:EXAMPLES], len(differing))
    raise DataError(
        f"{theirs}: its classes are not those of {ours}: {named} in one of them only",
        hint="a class is the place of its folder's name: give both the same folders, or a "
        "labels.csv",
    )


def check_labels(scan: Scan, classes: int | None) -> None:
    """Refuse labels that aren't classes of the model.

    Raises:
        DataError: Names the first sample of the first such class.
    """
    wrong = [c for c in scan.classes if c < 0 or (classes is not None and c >= classes)]
    if not wrong:
        return
    many = sum(scan.classes[each] for each in wrong)
    whose = f"there are classes 0 to {classes - 1}" if classes else "classes count from 0"
    raise DataError(
        f"{scan.dataset.record().location}: {plural(many, 'label')} of {scan.samples:,} "
        f"{'is' if many == 1 else 'are'} no class, such as {wrong[0]}: {whose}",
        hint="count classes from 0, in the model's order",
    )


def _balance(scan: Scan, limits: Limits, classes: int, data: str) -> Finding:
    most, least = max(scan.classes.values()), min(scan.classes.values())
    ratio, even = most / least, evenness(scan.classes, classes)
    level, why = limits.imbalance.level(ratio), ""
    if level is not Level.PASS:
        often = max(scan.classes, key=scan.classes.__getitem__)
        rare = min(scan.classes, key=scan.classes.__getitem__)
        why = f"class {often} has {plural(most, 'sample')} and class {rare} has {least:,}"
    return Finding(
        name="balance", level=level, data=data,
        found=f"{ratio:.3g} to 1, evenness {even:.2f}",
        limit=f"at most {limits.imbalance.fail:g} to 1", why=why,
        figures={"ratio": ratio, "evenness": even},
    )  # fmt: skip
