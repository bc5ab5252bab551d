"""Compare the words of a simulation with the integer model's; the first that differs is told."""

from collections import Counter
from collections.abc import Iterable, Mapping
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
        signal, place = golden[word.signal], (word.signal, word.stream)
        if place not in latest or latest[place][0] != word.frame:
            latest[place] = word.frame, _frame(word, signal)
        expected = _expected(word, latest[place][1])
        if expected != word.values:
            raise MismatchError(_difference(word, expected, signal.form))
        compared[word.signal] += len(expected)
    return compared


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


def _frame(word: Word, signal: Signal) -> list[int]:
    frames = signal.streams[word.stream] if word.stream < len(signal.streams) else ()
    if word.frame >= len(frames):
        raise MismatchError(
            f"cycle {word.cycle}: {word.signal} of frame {word.frame} of stream {word.stream}, "
            f"which was sent {len(frames)} frames"
        )
    return frames[word.frame].tolist()


def _expected(word: Word, frame: list[int]) -> list[int]:
    end = word.element + len(word.values)
    if end > len(frame):
        raise MismatchError(
            f"cycle {word.cycle}: element {end - 1} of {word.signal}, which has {len(frame)}"
        )
    return frame[word.element : end]


def _difference(word: Word, expected: list[int], form: QFormat) -> str:
    """Tell the first element that differs."""

    def shown(raw: int | None) -> str:
        if raw is None:
            return "unknown bits"
        return f"{raw} ({float(form.to_float(np.array(raw))):.6g})"

    at = next(i for i, value in enumerate(word.values) if value != expected[i])
    layer, dot, _ = word.signal.removeprefix(OUTPUT).partition(".")
    return (
        f"{layer if dot else 'output layer'}, frame {word.frame} of stream {word.stream}, signal "
        f"{word.signal}, element {word.element + at}: expected {shown(expected[at])}, found "
        f"{shown(word.values[at])} in cycle {word.cycle}"
    )
