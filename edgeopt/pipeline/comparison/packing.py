"""What goes to a device for a pair: both artifacts, what they are timed with, and samples."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from edgeopt.benchmarks import messages
from edgeopt.benchmarks.artifact import Artifact, files_of
from edgeopt.benchmarks.bundle import CallFile
from edgeopt.benchmarks.inputs import batch_size, calls
from edgeopt.benchmarks.messages import Samples
from edgeopt.benchmarks.metrics import class_label
from edgeopt.benchmarks.paired import Subject
from edgeopt.core.files import sha256
from edgeopt.pipeline.comparison.pair import Pair

if TYPE_CHECKING:
    from edgeopt.data import Dataset


@dataclass(frozen=True)
class Packed:
    """A folder that goes there.

    Args:
        folder: Where it is here.
        subjects: Both artifacts, as requests name them here.
        files: What the files that requests name are called there.
        samples: What both are run on beside each other, as it is called there.
        digests: Of every file, by its name there.
    """

    folder: Path
    subjects: tuple[Subject, Subject]
    files: dict[str, str]
    samples: tuple[Samples, Samples]
    digests: dict[str, str]

    @property
    def size_bytes(self) -> int:
        """Of all of it."""
        return sum(path.stat().st_size for path in self.folder.rglob("*") if path.is_file())

    def there(self, subject: messages.Subject) -> messages.Subject:
        """A subject as it is called there."""
        path, inputs = self.files[subject.path], self.files[subject.inputs]
        return msgspec.structs.replace(subject, path=path, inputs=inputs)


def pack(pair: Pair, judged: tuple[Dataset, Dataset], labelled: bool, folder: Path) -> Packed:
    """Make the folder.

    Args:
        pair: Both artifacts.
        judged: The samples that their answers are compared on, as each takes them.
        labelled: Whether to look at the labels.
        folder: An empty one.

    Raises:
        ModelError: If a file of an artifact is gone.
        UnsupportedError: If one lies elsewhere than its artifact.
        DataError: If a sample or label doesn't fit.
    """
    subjects = pair.subjects(folder)
    files = {}
    for side, subject in enumerate(subjects):
        _copy(subject.artifact, folder / str(side))
        files[subject.message.path] = f"{side}/{subject.artifact.path.name}"
        files[subject.message.inputs] = subject.inputs.name
    one = _samples(pair.artifacts[0], judged[0], labelled, folder / "0.samples.npz")
    other = _samples(pair.artifacts[1], judged[1], False, folder / "1.samples.npz")
    digests = {name: sha256(folder / name) for name in _names(folder)}
    if digests[one.file] == digests[other.file]:
        # Most often both take the same, and there may be much of it.
        (folder / other.file).unlink()
        del digests[other.file]
        other = msgspec.structs.replace(other, file=one.file)
    return Packed(folder, subjects, files, (one, other), digests)


def _names(folder: Path) -> Iterator[str]:
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield path.relative_to(folder).as_posix()


def _copy(artifact: Artifact, folder: Path) -> None:
    for file in files_of(artifact):
        place = folder / file.relative_to(artifact.path.parent)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, place)


def _samples(artifact: Artifact, data: Dataset, labelled: bool, path: Path) -> Samples:
    counted, labels = [], []
    with CallFile(path) as file:
        for chunk, batch in calls(artifact, data.samples()):
            file.add(artifact.stored(batch).values())
            counted.append(len(chunk))
            labels += [class_label(sample) for sample in chunk if labelled]
    return Samples(
        file=path.name,
        outputs=artifact.outputs,
        size=batch_size(artifact, 1),
        counted=tuple(counted),
        labels=tuple(labels),
    )
