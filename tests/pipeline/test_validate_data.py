"""What is found in data that is as it should be, and in data that isn't."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

import edgeopt
from edgeopt.core.errors import DataError, GateError, MissingBaselineError, UsageError
from edgeopt.core.preprocessing import Preprocessing
from edgeopt.core.tensors import TensorSpec
from edgeopt.data import Entry
from edgeopt.pipeline.validation.balance import evenness
from edgeopt.pipeline.validation.contents import Contents
from edgeopt.pipeline.validation.records import DataValidation, Finding, Level
from edgeopt.pipeline.validation.verdict import check_validation

Save = Callable[..., Path]


@pytest.fixture
def images(rng: np.random.Generator) -> np.ndarray:
    return rng.standard_normal((120, 3, 8, 8)).astype(np.float32)


@pytest.fixture
def labels() -> np.ndarray:
    return np.arange(120) % 5


@pytest.fixture
def save(tmp_path: Path) -> Save:
    def saved(name: str = "data.npz", **arrays: np.ndarray) -> Path:
        np.savez(tmp_path / name, **arrays)  # type: ignore[arg-type]
        return tmp_path / name

    return saved


def finding(found: DataValidation, title: str) -> Finding:
    (one,) = [each for each in found.findings if each.title == title]
    return one


def bad(found: DataValidation) -> list[str]:
    return [each.title for each in found.findings if each.level in (Level.WARN, Level.FAIL)]


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


def test_drift_beside_a_calibration_table(
    conv_net: Path, conv_data: Path, tmp_path: Path, save: Save, images: np.ndarray
) -> None:
    table = tmp_path / "t.npz"
    edgeopt.calibrate(conv_net, conv_data, output=table)
    found = edgeopt.validate_data(save(image=images), table=table)
    assert finding(found, "drift (image)").level is Level.PASS
    found = edgeopt.validate_data(save(image=images + 1), table=table)
    assert finding(found, "drift (image)").level is Level.FAIL
    assert 0.7 < finding(found, "drift (image)").figures["psi"] < 1.3  # a shift of one deviation
    assert finding(edgeopt.validate_data(conv_data, table=table), "drift (image)").figures == {
        "psi": 0, "ks": 0, "psi_of_halves": pytest.approx(0, abs=0.05),
    }  # fmt: skip


@pytest.fixture
def normalizing_net(conv_net: Path, tmp_path: Path) -> Path:
    """``conv_net`` behind what its weights can't hold: a table has no values of its input."""
    model = onnx.load(conv_net)
    model.graph.node[0].input[0] = "scaled"
    divided = onnx.helper.make_node("Div", ["image", "most"], ["divided"], "divide")
    scaled = onnx.helper.make_node("Abs", ["divided"], ["scaled"], "scale")
    model.graph.node.insert(0, scaled)
    model.graph.node.insert(0, divided)
    model.graph.initializer.append(onnx.numpy_helper.from_array(np.float32(255), "most"))
    onnx.save(model, tmp_path / "normalizing.onnx")
    return tmp_path / "normalizing.onnx"


def test_drift_of_what_a_model_makes_of_its_input(
    normalizing_net: Path, tmp_path: Path, save: Save, rng: np.random.Generator
) -> None:
    pixels = rng.integers(0, 200, (150, 3, 8, 8)).astype(np.uint8)
    table = tmp_path / "t.npz"
    edgeopt.calibrate(normalizing_net, save("c.npz", image=pixels[:130]), output=table)
    alone = edgeopt.validate_data(save(image=pixels[20:]), table=table)
    assert finding(alone, "drift (image)").level is Level.SKIPPED
    found = edgeopt.validate_data(save(image=pixels[20:]), model=normalizing_net, table=table)
    assert finding(found, "drift (scaled)").level is Level.PASS
    assert bad(found) == []
    bright = edgeopt.validate_data(save(image=pixels + 55), model=normalizing_net, table=table)
    assert finding(bright, "drift (scaled)").level is Level.FAIL
    assert "at most 1% beyond 0 to 0.78" in finding(bright, "outside (scaled)").limit
    assert finding(bright, "outside (scaled)").level is Level.FAIL


def test_samples_that_do_not_fit_have_no_say_in_drift(
    normalizing_net: Path, tmp_path: Path, save: Save, images: np.ndarray
) -> None:
    table = tmp_path / "t.npz"
    edgeopt.calibrate(normalizing_net, save(image=images), output=table)
    images[::7] = np.nan
    found = edgeopt.validate_data(save(image=images), model=normalizing_net, table=table)
    assert bad(found) == ["finite (image)", "duplicates"]
    assert finding(found, "drift (scaled)").level is Level.PASS


def test_padding_tokens_are_no_drift(
    save_model: Save, tmp_path: Path, save: Save, rng: np.random.Generator
) -> None:
    embedding = rng.standard_normal((50, 8)).astype(np.float32)
    nodes = [
        onnx.helper.make_node("Gather", ["table", "ids"], ["tokens"], "embed"),
        onnx.helper.make_node("MatMul", ["tokens", "w"], ["products"], "project"),
        onnx.helper.make_node("Cast", ["attention_mask"], ["mask"], to=1),
        onnx.helper.make_node("Unsqueeze", ["mask", "last"], ["column"]),
        onnx.helper.make_node("Mul", ["products", "column"], ["masked"]),
        onnx.helper.make_node("ReduceMean", ["masked", "one"], ["scores"], keepdims=0),
    ]
    net = save_model(
        nodes,
        [("ids", 7, ["n", 16]), ("attention_mask", 7, ["n", 16])],
        [("scores", 1, ["n", 4])],
        {"table": embedding, "w": embedding[:8, :4], "last": np.array([2]), "one": np.array([1])},
    )

    def texts(length: int, words: int = 50) -> dict[str, np.ndarray]:
        ids = rng.integers(1, words, (200, 16))
        ids[:, length:] = 0
        mask = np.zeros((200, 16), np.int64)
        mask[:, :length] = 1
        return {"ids": ids, "attention_mask": mask}

    table = tmp_path / "t.npz"
    edgeopt.calibrate(net, save("c.npz", **texts(12)), output=table)
    shorter = edgeopt.validate_data(save(**texts(4)), model=net, table=table, max_duplicates=1)
    assert finding(shorter, "drift (tokens)").figures["psi"] < 0.05
    others = edgeopt.validate_data(save(**texts(12, words=4)), model=net, table=table)
    assert finding(others, "drift (tokens)").level is not Level.PASS


def test_the_table_of_another_model(
    conv_net: Path, normalizing_net: Path, conv_data: Path, tmp_path: Path
) -> None:
    edgeopt.calibrate(conv_net, conv_data, output=tmp_path / "t.npz")
    with pytest.raises(DataError, match="was not made from the float graph of the model"):
        edgeopt.validate_data(conv_data, model=normalizing_net, table=tmp_path / "t.npz")


def test_values_that_float16_cannot_tell_apart_are_not_compared(
    save: Save, images: np.ndarray
) -> None:
    data, other = save("c.npz", image=images * 1e9), save("t.npz", image=images * 3e9 + 1)
    one = finding(edgeopt.validate_data(data, evaluation=other), "drift (evaluation: image)")
    assert (one.level, "beyond 65,504" in one.why) == (Level.SKIPPED, True)


def pictures(folder: Path, rng: np.random.Generator, count: int = 20, side: int = 8) -> Path:
    for n in range(count):
        path = folder / f"class{n % 2}" / f"{n:03}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (side, side, 3)).astype(np.uint8)).save(path)
    return folder


def test_a_folder_of_pictures(tmp_path: Path, rng: np.random.Generator, conv_net: Path) -> None:
    folder = pictures(tmp_path / "photos", rng)
    copy = folder / "class0" / "copy.png"
    copy.write_bytes((folder / "class0" / "002.png").read_bytes())
    alone = edgeopt.validate_data(folder)
    assert alone.data.inputs[0].shapes == ((3, 8, 8),)
    assert finding(alone, "duplicates").examples == ("class0/copy.png = class0/002.png",)
    beside = edgeopt.validate_data(folder, model=conv_net, preprocess=Preprocessing(scale=1 / 255))
    assert bad(beside) == ["samples", "duplicates", "classes"]
    small = edgeopt.validate_data(folder, model=conv_net, preprocess=Preprocessing(crop=6))
    assert "[1,3,6,6], but the model takes" in finding(small, "fits (image)").why


def test_folders_with_other_classes_do_not_match(tmp_path: Path, rng: np.random.Generator) -> None:
    data, other = pictures(tmp_path / "a", rng), pictures(tmp_path / "b", rng)
    assert edgeopt.validate_data(data, evaluation=other).level is Level.WARN  # few samples
    (other / "class1").rename(other / "class2")
    with pytest.raises(DataError, match=r"class1, class2 in one of them only"):
        edgeopt.validate_data(data, evaluation=other)


def test_a_folder_without_pictures(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="no images in it"):
        edgeopt.validate_data(tmp_path / "empty")


def test_a_picture_that_cannot_be_read(tmp_path: Path, rng: np.random.Generator) -> None:
    folder = pictures(tmp_path / "photos", rng)
    (folder / "class1" / "broken.png").write_bytes(b"nothing")
    with pytest.raises(DataError, match=r"broken\.png: not a readable image"):
        edgeopt.validate_data(folder)


def test_labels_of_another_number(save: Save, images: np.ndarray) -> None:
    with pytest.raises(DataError, match=r"different numbers of samples \(image: 120, labels: 9\)"):
        edgeopt.validate_data(save(image=images, labels=np.arange(9)))


def test_labels_for_some_samples_only(images: np.ndarray) -> None:
    def samples() -> Iterator[dict[str, Any]]:
        for n, image in enumerate(images):
            yield {"image": image, "labels": 1} if n % 2 else {"image": image}

    with pytest.raises(DataError, match="60 of its 120 samples have labels"):
        edgeopt.validate_data(samples)


@pytest.mark.parametrize(("label", "classes"), [(5, None), (-1, None), (3, 3)])
def test_labels_that_are_no_classes(
    save: Save, images: np.ndarray, labels: np.ndarray, conv_net: Path, label: int,
    classes: int | None,
) -> None:  # fmt: skip
    labels = labels % 3
    labels[8] = label
    with pytest.raises(DataError, match=f"1 label of 120 is no class, such as {label}"):
        edgeopt.validate_data(save(image=images, labels=labels), model=conv_net, classes=classes)


def test_labels_that_are_no_classes_of_any_model(save: Save, images: np.ndarray) -> None:
    boxes = images[:, 0, :2, 0].copy()
    found = edgeopt.validate_data(save(image=images, labels=boxes))
    assert found.level is Level.PASS
    assert finding(found, "classes").level is Level.SKIPPED
    boxes[4] = np.nan
    found = edgeopt.validate_data(save(image=images, labels=boxes))
    assert finding(found, "finite (labels)").figures == {"samples": 1, "values": 2}


def test_labels_may_be_numbers_of_any_size(save: Save, images: np.ndarray) -> None:
    labels = np.full(120, 2**63, np.uint64)
    found = edgeopt.validate_data(save(image=images, labels=labels))
    assert "no sample of class 0, 1, 2 and 9,223,372,036" in finding(found, "classes").why


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
