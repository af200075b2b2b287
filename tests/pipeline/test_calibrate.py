"""A table made once serves every artifact, however its samples were shared out."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest

import edgeopt
from edgeopt.calibration.table import CalibrationTable, ChannelStats, Sampling, TableHeader
from edgeopt.calibration.table_file import load_table, save_table
from edgeopt.core import streaming
from edgeopt.core.errors import DataError, OutputError, UsageError
from edgeopt.core.manifest import read_manifest
from edgeopt.core.record import from_json, to_json
from edgeopt.pipeline.calibrate import calibrate, merge


def test_convert_makes_the_same_of_a_table_as_of_the_data(
    conv_net: Path, conv_data: Path, tmp_path: Path
) -> None:
    made = calibrate(conv_net, conv_data, output=tmp_path / "t.npz")
    assert made.header.samples == 40
    assert made.header.data[0].used == (0, 40)
    options = {"precision": "int8", "verify": False, "calibration": conv_data}
    for name, more in (("observed", {}), ("given", {"table": tmp_path / "t.npz"})):
        edgeopt.convert(conv_net, output=tmp_path / name, **options, **more)  # type: ignore[arg-type]
    one, two = (tmp_path / n / "conv_net.int8.onnx" for n in ("observed", "given"))
    assert one.read_bytes() == two.read_bytes()
    assert read_manifest(one) == read_manifest(two)


@pytest.mark.parametrize("effort", ["fast", "default"])
def test_shards_merge_to_the_bytes_of_the_whole(
    conv_net: Path, conv_data: Path, tmp_path: Path, effort: str
) -> None:
    whole = calibrate(conv_net, conv_data, output=tmp_path / "whole.npz", effort=effort)
    parts = [
        calibrate(
            conv_net, conv_data, output=tmp_path / f"{i}.npz", effort=effort, shard=f"{i}/3"
        ).path
        for i in (3, 1, 2)
    ]
    joined = merge(parts, output=tmp_path / "joined.npz")
    assert joined.header == whole.header
    assert joined.warnings == ()
    assert (tmp_path / "joined.npz").read_bytes() == (tmp_path / "whole.npz").read_bytes()


@pytest.mark.parametrize("effort", ["fast", "default"])
def test_samples_that_share_a_fixed_batch_count_one_by_one(
    conv_net: Path, tmp_path: Path, rng: np.random.Generator, effort: str
) -> None:
    four = _of_batch(4, conv_net, tmp_path / "four.onnx")
    images = rng.standard_normal((70, 3, 8, 8)).astype(np.float32)
    tables = []
    for name, some in (("d", images), ("e", images[::-1]), ("f", np.roll(images, 3, axis=0))):
        np.savez(tmp_path / f"{name}.npz", image=some)
        for shard in ("1/1", "1/3", "2/3", "3/3"):
            made = calibrate(
                four, tmp_path / f"{name}.npz", effort=effort, shard=shard,
                output=tmp_path / f"{name}{shard[0]}{shard[2]}",
            )  # fmt: skip
            tables.append(load_table(Path(made.path)))
    wholes = [tables[i] for i in (0, 4, 8)]
    wholes += [tables[i].merge(tables[i + 2]).merge(tables[i + 1]) for i in (1, 5, 9)]
    assert {w.header.samples for w in wholes} == {70}
    for other in wholes[1:]:
        assert_same_counts(other, wholes[0])


def assert_same_counts(one: CalibrationTable, two: CalibrationTable) -> None:
    """Every count, extreme and sum, bit for bit."""
    assert one.tensors.keys() == two.tensors.keys()
    for name, stats in one.tensors.items():
        other = two.tensors[name]
        assert stats.histogram == other.histogram
        assert stats.samples == other.samples
        assert (stats.channels is None) == (other.channels is None)
        if stats.channels is not None and other.channels is not None:
            np.testing.assert_array_equal(stats.channels.sums, other.channels.sums)
            assert stats.channels.count == other.channels.count
            for a, b in zip(_ends(stats.channels), _ends(other.channels), strict=True):
                np.testing.assert_array_equal(a, b)


def _ends(channels: ChannelStats) -> list[np.ndarray]:
    return [end for end in (channels.low, channels.high) if end is not None]


@pytest.mark.parametrize("effort", ["fast", "default"])
def test_neither_order_nor_threads_change_a_bit(
    conv_net: Path, tmp_path: Path, rng: np.random.Generator, effort: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    images = rng.standard_normal((70, 3, 8, 8)).astype(np.float32)
    tables = []
    for cores in (1, 2, 4):
        monkeypatch.setattr(streaming, "_cores", lambda cores=cores: cores)
        np.savez(tmp_path / "d.npz", image=rng.permutation(images))
        made = calibrate(conv_net, tmp_path / "d.npz", effort=effort, output=tmp_path / "t.npz")
        tables.append(load_table(Path(made.path)))
    for other in tables[1:]:
        assert_same_counts(other, tables[0])


def test_tensors_take_turns_by_the_samples_content(
    conv_net: Path, tmp_path: Path, rng: np.random.Generator
) -> None:
    images = rng.standard_normal((80, 3, 8, 8)).astype(np.float32)
    np.savez(tmp_path / "d.npz", image=images)
    np.savez(tmp_path / "e.npz", image=images[::-1])
    made = [
        load_table(
            Path(calibrate(conv_net, data, output=data.with_suffix(".t"), effort="fast").path)
        )
        for data in (tmp_path / "d.npz", tmp_path / "e.npz")
    ]
    assert made[0].sampling is Sampling.GROUPS
    turns = {stats.samples for stats in made[0].tensors.values()}
    assert 0 < min(turns) < max(turns) < 80
    for name, stats in made[0].tensors.items():
        assert stats.histogram == made[1].tensors[name].histogram
        assert stats.samples == made[1].tensors[name].samples


def test_exact_counts_every_element(conv_net: Path, conv_data: Path, tmp_path: Path) -> None:
    made = load_table(
        Path(calibrate(conv_net, conv_data, output=tmp_path / "t.npz", exact=True).path)
    )
    assert made.complete
    assert made.tensors["image"].histogram.total == 40 * 3 * 8 * 8


def test_another_models_table_is_refused(
    conv_net: Path, conv_data: Path, tmp_path: Path, save_model: Callable[..., Path]
) -> None:
    table = load_table(Path(calibrate(conv_net, conv_data, output=tmp_path / "t.npz").path))
    header = to_json(table.header).replace(table.header.graph_sha256.encode(), b"0" * 64)
    save_table(tmp_path / "other.npz", _with_header(table, header))
    with pytest.raises(DataError, match="not made from the float graph of"):
        edgeopt.convert(
            conv_net, precision="int8", table=tmp_path / "other.npz", output=tmp_path / "o"
        )
    with pytest.raises(DataError, match=r"other\.npz: was not made from"):
        merge([tmp_path / "t.npz", tmp_path / "other.npz"], output=tmp_path / "m.npz")
    assert not (tmp_path / "m.npz").exists()


def _with_header(table: CalibrationTable, header: bytes) -> CalibrationTable:

    return CalibrationTable(from_json(header, TableHeader, where="test"), table.tensors)


def test_unlike_tables_merge_with_a_warning(
    conv_net: Path, conv_data: Path, tmp_path: Path
) -> None:
    parts = [
        calibrate(conv_net, conv_data, output=tmp_path / f"{i}", exact=i == 1, shard=(i, 2)).path
        for i in (1, 2)
    ]
    (warning,) = merge(parts, output=tmp_path / "m").warnings
    assert "unlike sampling (exact, part)" in warning
    (warning,) = merge([parts[0], parts[0]], output=tmp_path / "n").warnings
    assert "more than once" in warning


def test_min_max_needs_an_exact_table(conv_net: Path, tmp_path: Path, big_image: Path) -> None:
    net, data = big_image, big_image.with_name("d.npz")
    path = calibrate(net, data, output=tmp_path / "t.npz").path
    with pytest.raises(DataError, match="not their extremes"):
        edgeopt.convert(net, precision="int8", table=path, ranges="min-max", output=tmp_path / "o")
    path = calibrate(net, data, output=tmp_path / "t.npz", exact=True).path
    edgeopt.convert(net, precision="int8", table=path, ranges="min-max", output=tmp_path / "o")


@pytest.fixture
def big_image(save_model: Callable[..., Path], tmp_path: Path, rng: np.random.Generator) -> Path:
    """A net with a tensor that is large enough to be sampled."""
    from onnx import TensorProto, helper

    path = save_model(
        [
            helper.make_node("Conv", ["x", "w"], ["c"], "conv", pads=[1, 1, 1, 1]),
            helper.make_node("Conv", ["c", "v"], ["y"], "next"),
        ],
        [("x", TensorProto.FLOAT, ["n", 3, 64, 64])],
        [("y", TensorProto.FLOAT, ["n", 2, 64, 64])],
        {
            "w": rng.standard_normal((16, 3, 3, 3)).astype(np.float32),
            "v": rng.standard_normal((2, 16, 1, 1)).astype(np.float32),
        },
    )
    np.savez(tmp_path / "d.npz", x=rng.standard_normal((20, 3, 64, 64)).astype(np.float32))
    return path


def test_a_table_alone_serves_up_to_what_it_holds(
    conv_net: Path, conv_data: Path, tmp_path: Path
) -> None:
    path = calibrate(conv_net, conv_data, output=tmp_path / "t.npz").path
    options = {"precision": "int8", "table": path, "output": tmp_path / "o"}
    result = edgeopt.convert(conv_net, evaluation=conv_data, **options)  # type: ignore[arg-type]
    assert any("without calibration data" in w for w in result.warnings)
    with pytest.raises(DataError, match="lacks what --effort high needs"):
        edgeopt.convert(conv_net, effort="high", **options)  # type: ignore[arg-type]
    with pytest.raises(DataError, match="--effort default corrects biases on samples"):
        edgeopt.convert(conv_net, effort="default", **options)  # type: ignore[arg-type]


def test_what_is_not_a_table_is_not_replaced(
    conv_net: Path, conv_data: Path, tmp_path: Path
) -> None:
    kept = tmp_path / "precious.npz"
    shutil.copy(conv_data, kept)
    with pytest.raises(OutputError, match="is not a calibration table"):
        calibrate(conv_net, conv_data, output=kept)
    assert kept.read_bytes() == conv_data.read_bytes()
    calibrate(conv_net, conv_data, output=kept, force=True)
    calibrate(conv_net, conv_data, output=kept)


@pytest.mark.parametrize("shard", ["0/2", "3/2", "1", "a/b", "1/0"])
def test_a_wrong_shard_is_refused(conv_net: Path, conv_data: Path, shard: str) -> None:
    with pytest.raises(UsageError, match="is not i/n"):
        calibrate(conv_net, conv_data, shard=shard)


def test_more_shards_than_samples_are_refused(
    conv_net: Path, conv_data: Path, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match="there are 40 samples"):
        calibrate(conv_net, conv_data, shard="1/41", output=tmp_path / "t.npz")


def _of_batch(size: int, model: Path, path: Path) -> Path:
    """The same model for a fixed batch."""
    made = onnx.load(model)
    for value in (*made.graph.input, *made.graph.output):
        value.type.tensor_type.shape.dim[0].dim_value = size
    onnx.save(made, path)
    return path


SLOWLY = """
import sys, time
from edgeopt.calibration import observer
from edgeopt.pipeline.calibrate import calibrate

observer.CHECKPOINT_S = 0.0

def shown(step, done, total):
    if step == "calibrating":
        time.sleep(0.02)  # time for the one who kills

calibrate(sys.argv[1], sys.argv[2], output=sys.argv[3], progress=shown)
"""


@pytest.mark.parametrize("batch", [1, 4])
def test_killed_in_the_middle_it_goes_on_to_the_same_table(
    conv_net: Path, conv_data: Path, tmp_path: Path, batch: int
) -> None:
    if batch > 1:
        conv_net = _of_batch(batch, conv_net, tmp_path / "batch.onnx")
    whole = calibrate(conv_net, conv_data, output=tmp_path / "whole.npz")
    out = tmp_path / "killed.npz"
    partial = tmp_path / "killed.npz.partial"
    process = subprocess.Popen(
        [sys.executable, "-c", SLOWLY, str(conv_net), str(conv_data), str(out)]
    )
    deadline = time.monotonic() + 120
    while not partial.exists():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not out.exists()
    made = calibrate(conv_net, conv_data, output=out)
    assert 0 < made.resumed_at < 40
    assert made.resumed_at % batch == 0
    assert made.header == whole.header
    assert out.read_bytes() == (tmp_path / "whole.npz").read_bytes()
    assert not partial.exists()


def test_what_rounding_needs_is_the_same_again(
    conv_net: Path, conv_data: Path, tmp_path: Path
) -> None:
    one, two = (
        Path(calibrate(conv_net, conv_data, output=tmp_path / name, effort="high").path)
        for name in ("a", "b")
    )
    assert one.read_bytes() == two.read_bytes()
    (tmp_path / "c.partial").write_bytes(
        Path(calibrate(conv_net, conv_data, output=tmp_path / "d").path).read_bytes()
    )
    resumed = calibrate(conv_net, conv_data, output=tmp_path / "c", effort="high")
    assert resumed.resumed_at == 40
    assert (tmp_path / "c").read_bytes() == one.read_bytes()


def test_what_another_run_left_is_not_taken_for_ones_own(
    conv_net: Path, conv_data: Path, tmp_path: Path
) -> None:
    other = calibrate(conv_net, conv_data, output=tmp_path / "o", exact=True, shard="1/2")
    shutil.move(other.path, tmp_path / "t.npz.partial")
    made = calibrate(conv_net, conv_data, output=tmp_path / "t.npz")
    assert made.resumed_at == 0
    (tmp_path / "t.npz.partial").write_bytes(b"not a table")
    assert calibrate(conv_net, conv_data, output=tmp_path / "t.npz").resumed_at == 0
