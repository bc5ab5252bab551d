"""What a simulation sends: packets in their order, and how the testbench treats both ends."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle
from typing import Literal

import numpy as np

from ernn.errors import ShapeError
from ernn.hw.plan import HardwarePlan
from ernn.quant.frames import stack
from ernn.quant.integer_model import IntegerModel

Bad = Literal["short", "long", "unknown"]

Streams = Sequence[Sequence[np.ndarray]]  # per stream its utterances (T, F), one after another


@dataclass(frozen=True)
class Traffic:
    """How packets come and go."""

    mode: Literal["saturated", "single"] = "saturated"  # back to back, or one at a time
    idle: float = 0.0  # probability of a cycle without a beat at the input
    stall: float = 0.0  # and of one without ready at the output
    seed: int = 0
    reset_cycle: int | None = None  # reset then, and send everything again
    reset_cycles: int = 4  # how long a reset is
    hold: tuple[int, int] | None = None  # output refused: first cycle, cycles
    bad: tuple[tuple[int, Bad], ...] = ()  # packets to be dropped: in front of which good one
    begin: Literal["tuser", "register"] = "tuser"  # what tells the begin of an utterance
    load: bool = False  # write the model's memories through the registers first

    @property
    def steady(self) -> bool:
        """Whether every cycle is planned: nothing is random, refused, dropped or waited for."""
        return not (self.idle or self.stall or self.hold or self.bad or self.begin == "register")


def deal_out(utterances: Sequence[np.ndarray], count: int, frames: int) -> list[list[np.ndarray]]:
    """Deal utterances out to streams until each has ``frames`` frames, the last one cut short."""
    streams: list[list[np.ndarray]] = [[] for _ in range(count)]
    supply = cycle(utterances)
    for stream in streams:
        missing = frames
        while missing:
            stream.append(next(supply)[:missing])
            missing -= len(stream[-1])
    return streams


@dataclass(frozen=True)
class Packet:
    """A feature vector on its way in."""

    stream: int
    fresh: bool  # an utterance begins
    words: list[int]


def packets_of(model: IntegerModel, plan: HardwarePlan, streams: Streams) -> list[Packet]:
    """Return every frame as a packet, the streams in turn.

    Raises:
        ShapeError: more streams than the plan has, or none.
        CorpusError: a stream without frames, NaN or infinite features.
    """
    if not 1 <= len(streams) <= plan.streams:
        raise ShapeError(
            f"there are utterances for {len(streams)} streams", remedy=f"give 1 to {plan.streams}"
        )
    queues = []
    for stream, utterances in enumerate(streams):
        frames, lengths = stack(utterances)
        raw = model.quantize_features(frames)
        queues.append(
            [
                Packet(stream, time == 0, beats_of(plan, raw[index, time]))
                for index, length in enumerate(lengths)
                for time in range(length)
            ]
        )
    longest = max(len(queue) for queue in queues)
    return [queue[time] for time in range(longest) for queue in queues if time < len(queue)]


def beats_of(plan: HardwarePlan, vector: np.ndarray) -> list[int]:
    """Return a vector as beats, its first element in the low bits of the first."""
    bits, mask = plan.element_bits, (1 << plan.element_bits) - 1
    beats = np.pad(vector, (0, -vector.size % plan.word)).reshape(-1, plan.word).tolist()
    return [sum((raw & mask) << (bits * e) for e, raw in enumerate(beat)) for beat in beats]


def with_bad(packets: list[Packet], bad: Sequence[tuple[int, Bad]], streams: int) -> list[Packet]:
    """Return the packets with bad ones among them: a word less or more, or for no stream."""
    result = []
    for index, packet in enumerate(packets):
        for _, kind in (entry for entry in bad if entry[0] == index):
            stream, words = packet.stream, packet.words
            if kind == "unknown":
                stream = streams
            else:
                words = words[:-1] if kind == "short" else [*words, *words]
            result.append(Packet(stream, True, words))
        result.append(packet)
    return result
