"""Baselines in real folders, and in fsspec's file system in memory."""

from __future__ import annotations

import json
from pathlib import Path

import onnx
import pytest

import edgeopt
from edgeopt.benchmarks.gate.verdict import Comparison
from edgeopt.core.errors import (
    EdgeOptError,
    MissingBaselineError,
    ModelError,
    UnsupportedError,
    UsageError,
)
from edgeopt.core.files import sha256
from edgeopt.core.manifest import read_manifest
from edgeopt.pipeline import baseline
from edgeopt.pipeline.baseline import Change, Saved, fetched
from edgeopt.pipeline.first_run import compare_or_save
from tests.pipeline.baseline.stores import FEW, alter, contents


def test_a_name_points_at_digests(store: str, net: Path) -> None:
    saved = baseline.save(net, "main", store)
    digest = sha256(net)
    assert (saved.change, saved.replaced, saved.store) == (Change.SAVED, None, store)
    assert saved.baseline.sha256 == digest
    found = contents(store)
    assert set(found) == {"names/main.json", f"objects/{digest}"}
    assert found[f"objects/{digest}"] == net.read_bytes()
    assert json.loads(found["names/main.json"])["sha256"] == digest
    assert baseline.list(store) == (saved.baseline,)
    assert baseline.show("main", store) == baseline.show("@main", store) == saved.baseline


def test_what_comes_back_is_what_was_saved(store: str, conv_net: Path, tmp_path: Path) -> None:
    made = edgeopt.convert(conv_net, precision="fp32", output=tmp_path / "out").artifacts[0]
    baseline.save(made.path, "main", store)
    with fetched("@main", store) as path:
        path = Path(path)
        assert path.name == Path(made.path).name
        assert path.read_bytes() == Path(made.path).read_bytes()
        assert read_manifest(path) == read_manifest(Path(made.path))
        assert read_manifest(path) is not None
    assert not path.exists()


def test_saving_the_same_again_changes_nothing(store: str, net: Path) -> None:
    baseline.save(net, "main", store)
    before = contents(store)
    assert baseline.save(net, "main", store).change is Change.UNCHANGED
    assert contents(store) == before


def test_two_names_share_their_files(store: str, net: Path) -> None:
    baseline.save(net, "main", store)
    baseline.save(net, "v1.0", store)
    assert [b.name for b in baseline.list(store)] == ["main", "v1.0"]
    assert sum(key.startswith("objects/") for key in contents(store)) == 1


def test_replacing_says_what_was_there(store: str, net: Path, other: Path) -> None:
    baseline.save(net, "main", store)
    saved = baseline.save(other, "main", store)
    assert (saved.change, saved.replaced) == (Change.REPLACED, sha256(net))
    assert baseline.show("main", store).sha256 == sha256(other)


def test_weights_apart_come_along(store: str, apart: Path, net: Path) -> None:
    saved = baseline.save(apart, "main", store)
    assert [file.path for file in saved.baseline.files] == ["net.onnx", "weights/net.bin"]
    assert saved.baseline.size_bytes > 64 * 64 * 4
    found = edgeopt.compare("@main", net, store=store, **FEW)
    (sqnr,) = [check for check in found.checks if check.name == "sqnr"]
    assert sqnr.verdict == "pass"


def test_a_comparison_with_a_name(store: str, net: Path) -> None:
    baseline.save(net, "main", store)
    found = edgeopt.compare("@main", net, store=store, **FEW)
    assert (found.baseline.artifact, found.candidate.artifact) == ("@main", str(net))
    assert found.baseline.sha256 == found.candidate.sha256 == sha256(net)


def test_the_first_run_saves_and_the_second_compares(store: str, net: Path, other: Path) -> None:
    first = compare_or_save("@main", net, store=store, **FEW)
    assert isinstance(first, Saved)
    assert first.baseline.sha256 == sha256(net)
    second = compare_or_save("@main", other, store=store, **FEW)
    assert isinstance(second, Comparison)
    assert baseline.show("main", store).sha256 == sha256(net)


def test_a_wrong_option_is_found_on_the_first_run(store: str, net: Path) -> None:
    with pytest.raises(UsageError, match="--max-slowdown"):
        compare_or_save("@main", net, store=store, max_slowdown="3")
    assert contents(store) == {}


def test_a_candidate_that_is_damaged_becomes_no_baseline(store: str, tmp_path: Path) -> None:
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"")
    with pytest.raises(ModelError, match=r"broken\.onnx"):
        compare_or_save("@main", broken, store=store)
    assert contents(store) == {}


def test_a_candidate_that_cannot_run_becomes_no_baseline(store: str, net: Path) -> None:
    model = onnx.load(net)
    model.graph.node[0].op_type = "Nonsense"
    onnx.save(model, net)
    with pytest.raises(UnsupportedError, match="Nonsense"):
        compare_or_save("@main", net, store=store)
    assert contents(store) == {}


def test_an_altered_file_is_refused_and_mended_by_saving(store: str, net: Path) -> None:
    baseline.save(net, "main", store)
    key = f"objects/{sha256(net)}"
    alter(store, key, net.read_bytes()[:-1] + b"\0")
    for run in (edgeopt.compare, compare_or_save):
        with pytest.raises(ModelError, match=r"baseline 'main': net\.onnx .* was altered") as told:
            run("@main", net, store=store)
        assert told.value.exit_code == 2
    assert baseline.save(net, "main", store).change is Change.UNCHANGED
    assert contents(store)[key] == net.read_bytes()


def test_a_file_that_is_gone_is_refused_and_mended_by_saving(store: str, apart: Path) -> None:
    baseline.save(apart, "main", store)
    alter(store, f"objects/{sha256(apart.parent / 'weights' / 'net.bin')}", None)
    for run in (edgeopt.compare, compare_or_save):
        with pytest.raises(ModelError, match=r"baseline 'main': weights/net\.bin .* is gone"):
            run("@main", apart, store=store)
    baseline.save(apart, "main", store)
    with fetched("@main", store) as path:
        assert (Path(path).parent / "weights" / "net.bin").is_file()


def test_prune_removes_what_no_name_points_at(store: str, net: Path, other: Path) -> None:
    baseline.save(net, "main", store)
    baseline.save(net, "release", store)
    baseline.save(other, "main", store)
    baseline.save(other, "next", store)
    assert baseline.prune(store).removed == ()
    assert baseline.remove("@release", store).sha256 == sha256(net)
    pruned = baseline.prune(store)
    assert (pruned.removed, pruned.kept) == ((sha256(net),), 1)
    assert [each.name for each in baseline.list(store)] == ["main", "next"]
    with fetched("@main", store) as path:
        assert sha256(Path(path)) == sha256(other)
    assert set(contents(store)) == {
        *("names/main.json", "names/next.json", f"objects/{sha256(other)}")
    }


def test_nothing_is_pruned_where_a_name_cannot_be_read(store: str, net: Path, other: Path) -> None:
    baseline.save(net, "main", store)
    baseline.save(other, "next", store)
    alter(store, "names/main.json", b"{")
    before = contents(store)
    with pytest.raises(EdgeOptError, match=r"names/main\.json"):
        baseline.prune(store)
    assert contents(store) == before


def test_a_name_that_is_not_there_cannot_be_removed(store: str, net: Path) -> None:
    assert baseline.prune(store).kept == 0
    baseline.save(net, "main", store)
    with pytest.raises(MissingBaselineError, match="no baseline 'man'"):
        baseline.remove("man", store)
