"""Compare the words of a simulation with the integer model's; the first that differs is told."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import NamedTuple

import numpy as np

from ernn.errors import MismatchError
from ernn.fixed import QFormat
from ernn.hw.program import shown
from ernn.quant.frames import stack
from ernn.quant.integer_model import IntegerModel
from ernn.run.trace_decoder import OUTPUT, Word
from ernn.run.traffic import Streams


class Signal(NamedTuple):
    """What the integer model says of a signal."""

    form: QFormat
    streams: list[np.ndarray]  # per stream (frames, size), raw, its utterances joined


Golden = Mapping[str, Signal]


def golden_signals(model: IntegerModel, utterances: Streams) -> tuple[Golden, dict[str, int]]:
    """Run the integer model; return what a trace shows, and `Trace.saturated`."""
    batch, lengths = stack([utterance for stream in utterances for utterance in stream])
    taps = list(shown(model))
    trace = model.run(batch, lengths, taps)
    golden = {}
    for name in taps:
        rows = iter(zip(trace.signals[name], lengths, strict=True))
        streams = [
            np.concatenate([frames[:length] for frames, length in islice(rows, len(stream))])
            for stream in utterances
        ]
        golden[name] = Signal(model.formats[name], streams)
    for name in {f"layer{len(model.layers) - 1}.h", "logits"} & golden.keys():
        golden[OUTPUT + name] = golden[name]
    return golden, trace.saturated


def compare(words: Iterable[Word], golden: Golden) -> Counter[str]:
    """Compare words in the order in which they appeared; return how many elements, by signal.

    Raises:
        MismatchError: the first word that differs, or that nobody asked for.
    """
    compared: Counter[str] = Counter()
    latest: dict[tuple[str, int], tuple[int, list[int]]] = {}  # frame of a signal and stream
    for word in words:
        signal, found, place = golden[word.signal], word.packed, (word.signal, word.stream)
        if place not in latest or latest[place][0] != word.frame:
            latest[place] = word.frame, packed(_frame(word, signal), found.bits, found.size)
        expected = latest[place][1]
        number = word.element // found.size
        if number >= len(expected) or expected[number] != found.word or found.unknown:
            raise MismatchError(_difference(word, signal))
        compared[word.signal] += found.size
    return compared


def packed(frame: np.ndarray, bits: int, count: int) -> list[int]:
    """Return signed integers as words of ``count`` each, the first in the low bits.

    What is left over makes no word; -1, which nothing equals, is one of integers beyond ``bits``.
    """
    words = frame[: frame.size // count * count].reshape(-1, count)
    every_bit = (words[..., None] >> np.arange(bits) & 1).astype(np.uint8)
    rows = np.packbits(every_bit.reshape(len(words), -1), axis=1, bitorder="little")
    fits = (words >> (bits - 1) == words >> 63).all(axis=1)
    return [
        int.from_bytes(row.tobytes(), "little") if fit else -1
        for row, fit in zip(rows, fits, strict=True)
    ]


def require_whole(compared: Counter[str], golden: Golden) -> None:
    """Check that every element of every golden signal was found.

    Raises:
        MismatchError: some never appeared.
    """
    for signal, (_, streams) in golden.items():
        size = sum(frames.size for frames in streams)
        if compared[signal] != size:
            raise MismatchError(
                f"{compared[signal]} of {size} elements of {signal} appeared in the simulation"
            )


def _frame(word: Word, signal: Signal) -> np.ndarray:
    frames: Sequence[np.ndarray] | np.ndarray = ()
    if word.stream < len(signal.streams):
        frames = signal.streams[word.stream]
    if word.frame >= len(frames):
        raise MismatchError(
            f"cycle {word.cycle}: {word.signal} of frame {word.frame} of stream {word.stream}, "
            f"which was sent {len(frames)} frames"
        )
    return frames[word.frame]


def _difference(word: Word, signal: Signal) -> str:
    """Tell the first element that differs."""

    def shown(raw: int | None) -> str:
        if raw is None:
            return "unknown bits"
        return f"{raw} ({float(signal.form.to_float(np.array(raw))):.6g})"

    found, frame = word.packed.values, _frame(word, signal)
    end = word.element + len(found)
    if end > frame.size:
        return f"cycle {word.cycle}: element {end - 1} of {word.signal}, which has {frame.size}"
    expected = frame[word.element : end].tolist()
    at = next(i for i, value in enumerate(found) if value != expected[i])
    layer, dot, _ = word.signal.removeprefix(OUTPUT).partition(".")
    return (
        f"{layer if dot else 'output layer'}, frame {word.frame} of stream {word.stream}, signal "
        f"{word.signal}, element {word.element + at}: expected {shown(expected[at])}, found "
        f"{shown(found[at])} in cycle {word.cycle}"
    )
