"""``edgeopt bundle``: artifacts in, a folder out that measures them on a device by itself."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import msgspec

from edgeopt.benchmarks.artifact import Artifact, files_of, read_artifact
from edgeopt.benchmarks.bundle import CONTENT, RUN, Bundle, program
from edgeopt.benchmarks.metrics import read_tops
from edgeopt.benchmarks.plan import Plan
from edgeopt.core.errors import EdgeOptError, OutputError, UnsupportedError, UsageError
from edgeopt.core.files import new_folder, sha256
from edgeopt.core.placing import place, tidy, working_folder
from edgeopt.core.precision import Format
from edgeopt.core.preprocessing import Preprocessing
from edgeopt.core.progress import Progress, silent
from edgeopt.core.record import Record, from_json, to_json
from edgeopt.core.refusals import reporting
from edgeopt.core.version import __version__
from edgeopt.pipeline.answers import Asked, answer
from edgeopt.pipeline.evaluation import Data, read_evaluation
from edgeopt.targets import load_target

DEVICE = "device"
"""What a device is called that no target was named for."""


class BundleResult(Record, frozen=True):
    """A bundle that was made.

    Args:
        folder: Where it is.
        bundle: Its content.
        size_bytes: Of all its files.
    """

    folder: str
    bundle: Bundle
    size_bytes: int


def bundle(
    artifacts: Sequence[str | Path],
    output: str | Path = "bundle",
    *,
    evaluation: Data | None = None,
    samples: int = 100,
    accuracy: str = "top1,top5",
    preprocess: str | Path | Preprocessing | None = None,
    target: str | None = None,
    threads: int | None = None,
    batch: int = 1,
    duration: float = 1.0,
    processes: int = 5,
    seed: int = 0,
    force: bool = False,
    code: bool = True,
    progress: Progress = silent,
) -> BundleResult:
    """Make a folder that measures artifacts on a device: copy it there, ``python3 run.pyz``.

    Args:
        artifacts: ``.onnx`` and ``.tflite`` files, of any maker.
        output: The folder that is made.
        evaluation: Data whose samples are run on the device: a ``.npz``, a folder of images, or
            ``module:function``. Without it seeded random numbers are.
        samples: How many of them at most, evenly spread.
        accuracy: ``top1``, ``top5``, any ``topK``, with commas between; needs labels.
        preprocess: The contract for pictures, or a TOML file of it; an artifact's own, from its
            manifest, if None.
        target: The device's profile; its name is the results'.
        threads: Threads within an operator; the target's own number if None, without one 1.
        batch: Samples a call that is timed, for artifacts that have a dynamic batch.
        duration: Time in each artifact's timed calls in each process, in s.
        processes: Fresh processes that the artifacts share; 2 or more where there are several.
        seed: Draws random inputs and every order.
        force: Replace files that no bundle of ours put there.
        code: False refuses to run code that an option names.
        progress: Told how far it is.

    Raises:
        ModelError: If an artifact isn't there, or can't be read or run here.
        UnsupportedError: If a format can't be bundled, or the device can't run it.
        DataError: If the evaluation data doesn't fit.
        OutputError: If the folder can't be written, or holds something else.
        UsageError: If an option's value isn't allowed.
    """
    profile = None if target is None else load_target(target)
    if threads is None:
        threads = 1 if profile is None else profile.threads
    plan = Plan(threads=threads, batch=batch, duration=duration, processes=processes, seed=seed)
    _check(len(artifacts), plan, samples)
    tops = read_tops(accuracy)
    judged_on = read_evaluation(evaluation, preprocess, code)
    named = DEVICE if profile is None else profile.name
    read = [_bundled(read_artifact(path)) for path in artifacts]
    files = _check_names(read)
    folder = Path(output)
    tidy(folder)
    _check_free(folder, force=force)
    with new_folder(folder), working_folder(folder) as scratch, reporting(folder):
        bundled = []
        for artifact in read:
            asked = Asked(artifact, judged_on.of(artifact), samples, tops, plan)
            bundled.append(answer(asked, scratch, progress))
        for name, file in files.items():
            (scratch / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, scratch / name)
        by = f"EdgeOpt {__version__}"
        content = _finish(scratch, Bundle(by, named, plan, tuple(bundled), {}))
        names = _names(scratch)
        place(scratch, folder, names)
    return BundleResult(str(folder), content, sum((folder / n).stat().st_size for n in names))


def _check(artifacts: int, plan: Plan, samples: int) -> None:
    plan.check(artifacts)
    if samples < 1:
        raise UsageError(f"samples is {samples}", hint="1 is the least")


def _bundled(artifact: Artifact) -> Artifact:
    if artifact.format is Format.TENSORRT:
        raise UnsupportedError(
            f"{artifact.name}: an engine is not bundled",
            hint="its kit builds and times it on the device: see the guide's page on TensorRT",
        )
    return artifact


def _check_names(artifacts: Sequence[Artifact]) -> dict[str, Path]:
    """Every file that goes into the bundle, by its name there."""
    found: dict[str, Path] = {}
    for artifact in artifacts:
        for file in files_of(artifact):
            name = file.relative_to(artifact.path.parent).as_posix()
            if found.setdefault(name, file).resolve() != file.resolve():
                raise UsageError(
                    f"{found[name]} and {file} have the same name",
                    hint="rename one, or bundle them apart",
                )
    return found


def _check_free(folder: Path, *, force: bool) -> None:
    if force or not folder.is_dir() or not any(folder.iterdir()):
        return
    try:
        from_json((folder / CONTENT).read_bytes(), Bundle, where=str(folder / CONTENT))
    except (OSError, EdgeOptError):
        raise OutputError(
            f"{folder}: is there already, and is no bundle",
            hint="choose another folder with -o, or use --force",
        ) from None


def _finish(scratch: Path, content: Bundle) -> Bundle:
    """Add what makes the files a bundle: their digests, and the program."""
    files = sorted(path for path in scratch.rglob("*") if path.is_file())
    digests = {path.relative_to(scratch).as_posix(): sha256(path) for path in files}
    content = msgspec.structs.replace(content, files=digests)
    (scratch / RUN).write_bytes(program())
    (scratch / CONTENT).write_bytes(to_json(content))
    return content


def _names(scratch: Path) -> list[str]:
    # What names and vouches for the others comes last.
    files = [path for path in scratch.rglob("*") if path.is_file()]
    files.sort(key=lambda path: (path.name == CONTENT, path))
    return [path.relative_to(scratch).as_posix() for path in files]
