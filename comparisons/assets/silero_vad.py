"""Silero's voice activity detector, stateful, with real speech run through it window by window.

The samples hold the states that the network itself had reached, since random states would
calibrate a network that never occurs.
"""

from __future__ import annotations

import tempfile
import wave
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import onnxruntime

from delivery import folder_argument, is_complete, staged
from packages import unpack_debian_package, unpack_wheel_members

WHEEL = "silero-vad==6.2.3"
MEMBERS = ("silero_vad/data/silero_vad.onnx", "silero_vad/data/silero_vad.jit")
MODEL, SCRIPTED = (Path(member).name for member in MEMBERS)
SPEECH_PACKAGE = "alsa-utils"
SPEECH_FOLDER = "usr/share/sounds/alsa"
RECORDINGS = {
    "calibration": ("Front_Center", "Front_Right", "Rear_Left", "Side_Right"),
    "heldout": ("Front_Left", "Rear_Center", "Rear_Right", "Side_Left"),
}
SAMPLES = 64
RATE = 16000
WINDOW, CONTEXT = 512, 64
SEED = 16000
NAMES = (MODEL, SCRIPTED, *(f"silero_vad_{part}.npz" for part in RECORDINGS))

Feed = dict[str, np.ndarray]


def read_recording(path: Path) -> np.ndarray:
    """Read a mono 16-bit recording whose rate is a multiple of 16 kHz: (T,) float32, -1 to 1."""
    with wave.open(str(path)) as file:
        if file.getnchannels() != 1 or file.getsampwidth() != 2 or file.getframerate() % RATE:
            raise ValueError(f"{path.name} is not mono 16-bit at a multiple of {RATE} Hz")
        factor = file.getframerate() // RATE
        sound = np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32768
    return decimated(sound, factor).astype(np.float32)


def decimated(sound: np.ndarray, factor: int) -> np.ndarray:
    """Keep each ``factor``-th value after a Hamming-windowed sinc low-pass of 32 lobes."""
    reach = 16 * factor
    taps = np.sinc(np.arange(-reach, reach + 1) / factor) * np.hamming(2 * reach + 1)
    return np.convolve(sound, taps / taps.sum(), mode="same")[::factor]


def run(session: onnxruntime.InferenceSession, sound: np.ndarray) -> Iterator[tuple[Feed, float]]:
    """Run a recording through the network from a zero state.

    Yields:
        What each call was fed, under the model's own names: ``input`` (1, 576), ``state``
        (2, 1, 128), ``sr`` (); and the probability of speech it answered.
    """
    state = np.zeros((2, 1, 128), np.float32)
    padded = np.concatenate([np.zeros(CONTEXT, np.float32), sound])
    for start in range(0, len(sound) - WINDOW + 1, WINDOW):
        window = padded[None, start : start + CONTEXT + WINDOW]
        feed = {"input": window, "state": state, "sr": np.array(RATE, np.int64)}
        probability, state = session.run(["output", "stateN"], feed)
        yield feed, float(probability.item())


def stacked(feeds: Sequence[Feed]) -> Feed:
    """Stack S calls as samples for N = 1.

    Returns:
        ``input`` (S, 576), since axis 0 is the batch; ``state`` (S, 2, 1, 128), since it isn't;
        ``sr`` (S,) int64.
    """
    return {
        "input": np.concatenate([feed["input"] for feed in feeds]),
        "state": np.stack([feed["state"] for feed in feeds]),
        "sr": np.stack([feed["sr"] for feed in feeds]),
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Write both forms of the model and the two sets of samples, split by recording."""
    folder = folder_argument(__doc__, arguments)
    if is_complete(folder, NAMES):
        return
    with tempfile.TemporaryDirectory() as unpacked, staged(folder, NAMES) as scratch:
        unpack_wheel_members(WHEEL, MEMBERS, scratch)
        unpack_debian_package(SPEECH_PACKAGE, Path(unpacked))
        speech = Path(unpacked) / SPEECH_FOLDER
        session = onnxruntime.InferenceSession(scratch / MODEL, providers=["CPUExecutionProvider"])
        for number, (part, recordings) in enumerate(RECORDINGS.items()):
            sounds = [read_recording(speech / f"{name}.wav") for name in recordings]
            calls = [call for sound in sounds for call in run(session, sound)]
            rng = np.random.default_rng([SEED, number])
            chosen = rng.choice(len(calls), SAMPLES, replace=False)
            np.savez(scratch / f"silero_vad_{part}.npz", **stacked([calls[i][0] for i in chosen]))
            heard = np.mean([calls[i][1] > 0.5 for i in chosen])
            print(f"{part}: speech in {heard:.0%} of {SAMPLES} windows, out of {len(calls)}")


if __name__ == "__main__":
    main()
