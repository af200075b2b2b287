"""What is found in data that is as it should be, and in data that isn't."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import edgeopt
from edgeopt.core.errors import GateError, MissingBaselineError, UsageError
from edgeopt.core.preprocessing import Preprocessing
from edgeopt.core.tensors import TensorSpec
from edgeopt.data import Entry
from edgeopt.pipeline.validation.balance import evenness
from edgeopt.pipeline.validation.contents import Contents
from edgeopt.pipeline.validation.records import Level
from edgeopt.pipeline.validation.verdict import check_validation
from tests.pipeline.validation.findings import Save, bad, finding


def test_the_example_s_data_passes(example: Path) -> None:
    found = edgeopt.validate_data(
        example / "calibration.npz", model=example / "model.pt2", evaluation=example / "test.npz"
    )
    assert (found.level, bad(found)) == (Level.PASS, [])
    assert found.data.inputs[0].spec.name == "image"
    assert (found.data.inputs[0].low, found.data.inputs[0].high) == (0, 255)
    assert found.data.inputs[0].shapes == ((1, 28, 28),)
    assert found.evaluation is not None
    assert found.evaluation.classes == dict.fromkeys(range(10), 200)
    assert finding(found, "drift (evaluation: image)").figures["psi"] < 0.01
    check_validation(found)


def test_without_a_model_the_data_speaks_for_itself(save: Save, images: np.ndarray) -> None:
    found = edgeopt.validate_data(save(image=images, gain=images[:, 0, 0, 0]))
    assert (found.level, bad(found)) == (Level.PASS, [])
    assert [each.spec.name for each in found.data.inputs] == ["image", "gain"]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_counted_and_named(
    save: Save, images: np.ndarray, conv_net: Path, value: float
) -> None:
    images[7, 0, 0, :3] = value
    images[90] = value
    found = edgeopt.validate_data(save(image=images), model=conv_net)
    assert bad(found) == ["finite (image)"]
    one = finding(found, "finite (image)")
    assert one.figures == {"samples": 2, "values": 3 + 192}
    assert one.examples == ("data.npz[7]", "data.npz[90]")
    with pytest.raises(GateError, match=r"finite \(image\): in 2 of 120 samples") as error:
        check_validation(found)
    assert "\n" not in str(error.value)


def test_too_large_for_the_model_s_type_is_infinite(save: Save, conv_net: Path) -> None:
    huge = np.random.default_rng(1).standard_normal((100, 3, 8, 8))
    huge[3] *= 1e300
    found = edgeopt.validate_data(save(image=huge), model=conv_net)
    assert bad(found) == ["finite (image)"]


def test_a_wrong_shape_names_both(save: Save, images: np.ndarray, conv_net: Path) -> None:
    found = edgeopt.validate_data(save(image=images.transpose(0, 2, 3, 1)), model=conv_net)
    one = finding(found, "fits (image)")
    assert one.level is Level.FAIL
    assert one.figures == {"samples": 120}
    assert "has shape [1,8,8,3], but the model takes [batch,3,8,8]" in one.why


def test_a_wrong_kind_of_number(save: Save, save_model: Save) -> None:
    from onnx import TensorProto, helper

    net = save_model(
        [helper.make_node("Identity", ["ids"], ["out"])],
        [("ids", TensorProto.INT8, ["n", 4])], [("out", TensorProto.INT8, ["n", 4])],
    )  # fmt: skip
    rows = np.stack([np.arange(100), *np.zeros((3, 100))], axis=1).astype(np.int64)
    assert bad(edgeopt.validate_data(save(ids=rows), model=net)) == []
    found = edgeopt.validate_data(save(ids=rows * 2), model=net)
    assert "it holds 1" in finding(found, "fits (ids)").why
    found = edgeopt.validate_data(save(ids=rows / 2), model=net)
    assert "dtype float64, but the model takes int8" in finding(found, "fits (ids)").why


def test_samples_of_several_shapes_fit_a_dynamic_input(conv_net: Path, images: np.ndarray) -> None:
    def samples() -> Iterator[dict[str, Any]]:
        for n, image in enumerate(images):
            yield {"image": image[:, : 8 - n % 2]}

    found = edgeopt.validate_data(samples, model=conv_net)
    assert finding(found, "fits (image)").figures == {"samples": 60}
    assert edgeopt.validate_data(samples).level is Level.PASS


def test_blank_samples(save: Save, images: np.ndarray) -> None:
    images[4] = 0
    images[5] = 3
    one = finding(edgeopt.validate_data(save(image=images)), "blank (image)")
    assert (one.level, one.figures["samples"]) == (Level.WARN, 2)
    images[:20] = 1
    assert finding(edgeopt.validate_data(save(image=images)), "blank (image)").level is Level.FAIL
    found = edgeopt.validate_data(save(image=images * 0 + 2))
    assert finding(found, "blank (image)").why.startswith("every value of every sample is 2")


def test_a_mask_of_ones_is_not_blank(save: Save, rng: np.random.Generator) -> None:
    ids = rng.integers(0, 1000, (150, 12))
    found = edgeopt.validate_data(save(ids=ids, mask=np.ones_like(ids), rate=np.full(150, 16000)))
    assert bad(found) == []


def test_duplicates_are_found_in_any_type(save: Save, images: np.ndarray) -> None:
    images[50] = images[3]
    images[119] = images[3]
    found = edgeopt.validate_data(save(image=images))
    one = finding(found, "duplicates")
    assert (one.level, one.figures["samples"]) == (Level.WARN, 2)
    assert one.examples == ("data.npz[50] = data.npz[3]", "data.npz[119] = data.npz[3]")
    assert edgeopt.validate_data(save(image=images), max_duplicates="1%").level is Level.FAIL
    assert edgeopt.validate_data(save(image=images), strict=True).level is Level.FAIL


def test_the_same_sample_with_two_labels_contradicts_itself(
    save: Save, images: np.ndarray, labels: np.ndarray
) -> None:
    images[5], images[6] = images[0], images[2]
    one = finding(edgeopt.validate_data(save(image=images, labels=labels)), "contradictions")
    assert (one.level, one.figures["samples"]) == (Level.FAIL, 1)
    assert one.examples == ("data.npz[6] = data.npz[2]",)


@given(st.lists(st.integers(0, 5)), st.lists(st.integers(0, 5), min_size=1))
def test_what_is_repeated_and_shared(ours: list[int], theirs: list[int]) -> None:
    spec = (TensorSpec(name="x", dtype="float32", shape=("n", 1)),)
    contents = []
    for side in (ours, theirs):
        contents.append(Contents())
        for value in side:
            # The label and the dtype differ; what a model would be given doesn't.
            entry = Entry({"x": np.array([value], np.uint8)}, len(contents[-1]), "")
            contents[-1].add(entry, spec)
    again = [(n, ours.index(v)) for n, v in enumerate(ours) if v in ours[:n]]
    assert contents[0].repeated().tolist() == [[*pair] for pair in again]
    assert contents[0].contradictory().tolist() == [[*pair] for pair in again]
    both = [[n, theirs.index(v)] for n, v in enumerate(ours) if v in theirs]
    assert contents[0].shared(contents[1]).tolist() == both


def test_overlap_between_calibration_and_evaluation(
    save: Save, images: np.ndarray, conv_net: Path
) -> None:
    other = images[::-1].copy() + 1
    other[2] = images[40]
    calibration, test = save("c.npz", image=images), save("t.npz", image=other.astype(np.float64))
    found = edgeopt.validate_data(calibration, model=conv_net, evaluation=test, max_psi=99)
    one = finding(found, "overlap (evaluation)")
    assert (one.level, one.examples) == (Level.WARN, ("t.npz[2] = c.npz[40]",))
    found = edgeopt.validate_data(calibration, model=conv_net, evaluation=calibration)
    assert finding(found, "overlap (evaluation)").figures["share"] == 1
    assert found.level is Level.FAIL


def test_drift_between_calibration_and_evaluation(save: Save, images: np.ndarray) -> None:
    calibration = save("c.npz", image=images[:60])
    found = edgeopt.validate_data(calibration, evaluation=save("t.npz", image=images[60:]))
    assert finding(found, "drift (evaluation: image)").level is Level.PASS
    scaled = edgeopt.validate_data(calibration, evaluation=save("t.npz", image=images[60:] * 3))
    assert finding(scaled, "drift (evaluation: image)").level is Level.FAIL
    assert finding(scaled, "outside (evaluation: image)").level is Level.FAIL


def test_drift_that_the_samples_have_among_themselves_is_no_failure(
    save: Save, rng: np.random.Generator
) -> None:
    # Each sample has a level of its own: ten of them say little about the levels there are.
    def levels(count: int) -> np.ndarray:
        return (rng.standard_normal((count, 1)) * 5 + rng.standard_normal((count, 50)) / 9).astype(
            np.float32
        )

    found = edgeopt.validate_data(
        save("c.npz", x=levels(500)), evaluation=save("t.npz", x=levels(10))
    )
    one = finding(found, "drift (evaluation: x)")
    assert one.figures["psi"] > 0.25
    assert one.level is Level.WARN
    assert "take more of them" in one.why


def test_other_classes_are_as_rare_as_before(save: Save, images: np.ndarray) -> None:
    calibration = save("c.npz", image=images, labels=np.arange(120) % 2)
    test = save("t.npz", image=images + 1, labels=(np.arange(120) % 10 > 0).astype(int))
    one = finding(edgeopt.validate_data(calibration, evaluation=test, max_psi=99),
                  "drift (evaluation: labels)")  # fmt: skip
    assert one.level is Level.WARN


def test_classes(save: Save, images: np.ndarray, conv_net: Path) -> None:
    labels = np.zeros(120, np.int64)
    labels[:3] = 4
    found = edgeopt.validate_data(save(image=images, labels=labels), model=conv_net)
    assert finding(found, "classes").found == "2 of 5"
    assert "1, 2, 3" in finding(found, "classes").why
    one = finding(found, "balance")
    assert (one.level, one.figures["ratio"]) == (Level.WARN, 39)
    found = edgeopt.validate_data(save(image=images, labels=labels), max_imbalance=20)
    assert finding(found, "balance").level is Level.FAIL
    assert found.data.classes == {0: 117, 4: 3}


@pytest.mark.parametrize(
    ("counts", "classes", "even"),
    [({0: 5, 1: 5}, 2, 1.0), ({0: 9}, 2, 0.0), ({0: 1, 1: 1}, 4, 0.5), ({3: 7}, 1, 1.0)],
)
def test_evenness(counts: dict[int, int], classes: int, even: float) -> None:
    assert evenness(counts, classes) == pytest.approx(even)


@pytest.mark.parametrize(
    ("count", "level"), [(9, "fail"), (10, "warn"), (99, "warn"), (100, "pass")]
)
def test_how_many_samples(save: Save, images: np.ndarray, count: int, level: str) -> None:
    found = edgeopt.validate_data(save(image=images[:count]))
    assert finding(found, "samples").level == level


def test_pixels_that_are_scaled_already(save: Save, rng: np.random.Generator) -> None:
    pixels = rng.integers(0, 256, (100, 3, 8, 8)).astype(np.uint8)
    contract = Preprocessing(scale=1 / 255, mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))
    good = edgeopt.validate_data(save(image=pixels), preprocess=contract)
    assert bad(good) == []
    scaled = edgeopt.validate_data(
        save(image=(pixels / 255).astype(np.float32)), preprocess=contract
    )
    assert finding(scaled, "range (image)").level is Level.WARN
    assert "scaled already" in finding(scaled, "range (image)").why
    beyond = edgeopt.validate_data(save(image=pixels.astype(np.int32) * 2 - 9), preprocess=contract)
    assert finding(beyond, "range (image)").level is Level.FAIL


def test_beyond_what_an_int8_artifact_holds(
    conv_net: Path, conv_data: Path, tmp_path: Path, save: Save, images: np.ndarray
) -> None:
    made = edgeopt.convert(
        conv_net, precision="int8", calibration=conv_data, output=tmp_path / "out"
    )
    artifact = made.artifacts[0].path
    assert finding(edgeopt.validate_data(save(image=images), model=artifact),
                   "range (image)").level is Level.PASS  # fmt: skip
    found = edgeopt.validate_data(save(image=images * 5), model=artifact)
    assert "holds as integers" in finding(found, "range (image)").why
    assert found.level is Level.FAIL


@pytest.mark.parametrize(
    "options",
    [{"max_duplicates": "5"}, {"max_imbalance": 0.5}, {"max_psi": -1}, {"max_psi": float("nan")},
     {"min_samples": 0}, {"input": ["x:float32[1]"]},
     {"input": ["x:float32[1]"], "model": "net.onnx"}],
)  # fmt: skip
def test_options_that_are_none(save: Save, images: np.ndarray, options: dict[str, Any]) -> None:
    with pytest.raises(UsageError) as error:
        edgeopt.validate_data(save(image=images), **options)
    assert not isinstance(error.value, MissingBaselineError)


def test_memory_does_not_grow_with_the_samples(rng: np.random.Generator) -> None:
    import tracemalloc

    def samples(count: int) -> Callable[[], Iterator[dict[str, Any]]]:
        each = [rng.standard_normal((64, 64)).astype(np.float32) for _ in range(8)]
        return lambda: ({"x": each[n % 8] + n} for n in range(count))

    def peak(count: int) -> int:
        tracemalloc.start()
        try:
            edgeopt.validate_data(samples(count), max_duplicates="100%")
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(50)
    # 2,000 samples are 33 MB; 16 bytes of each are kept.
    assert peak(2000) - peak(100) < 1 << 20


def test_progress_tells_of_every_sample(save: Save, images: np.ndarray) -> None:
    told: list[tuple[str, int, int | None]] = []
    data, other = save("c.npz", image=images), save("t.npz", image=images[:30] + 1)
    edgeopt.validate_data(data, evaluation=other, progress=lambda *each: told.append(each))
    assert told[0] == ("reading c.npz", 1, 120)
    assert told[119:121] == [("reading c.npz", 120, 120), ("reading t.npz", 1, 30)]
    assert len(told) == 150
