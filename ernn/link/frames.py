"""Frames on the line: a flag, then header, indices and checksum, with flag bytes stuffed away.

    0x7E | stream, utterance, frames - 1, indices, zeros up to a byte | CRC-16

All numbers are sent highest bit first. A byte 0x7E or 0x7D behind the flag is sent as 0x7D and the
byte xor 0x20, so that 0x7E is a flag wherever it stands. The board knows from the codes where a
frame ends: no length is sent, and no flag has to follow. So a frame that comes whole is taken,
whatever came before it. The checksum (polynomial 0x1021) begins with the id of the tables: frames
that other tables made are refused like damaged ones.

Source: flag and stuffing of RFC 1662 (HDLC-like framing), the CRC of ITU-T V.41.
"""

from collections.abc import Generator, Sequence
from dataclasses import dataclass

import numpy as np

from ernn.errors import ShapeError
from ernn.link.codes import unfolded, write
from ernn.link.tables import ESCAPE, UTTERANCE_BITS, LinkTables

FLAG, ESCAPED, CHANGED = 0x7E, 0x7D, 0x20
CHECK_BITS = 16
_POLYNOMIAL = 0x1021


@dataclass(frozen=True)
class Received:
    """A group of frames that came whole."""

    stream: int
    starts: bool  # an utterance
    vectors: np.ndarray  # (frames, F) raw int64 in the tables' `vector`


def groups(tables: LinkTables, utterance: np.ndarray) -> np.ndarray:
    """Return an utterance (T, F) as groups (N, G * F); the last frame fills up the last one.

    Raises:
        ShapeError: it has no frame, or frames of another size.
    """
    if utterance.ndim != 2 or not len(utterance) or utterance.shape[1] != tables.features:
        raise ShapeError(
            f"an utterance of shape {utterance.shape}", allowed=f"(T > 0, {tables.features})"
        )
    more = -len(utterance) % tables.group
    filled = np.concatenate([utterance, np.repeat(utterance[-1:], more, axis=0)])
    return filled.reshape(-1, tables.group * tables.features)


def encode(
    tables: LinkTables, utterances: Sequence[np.ndarray], stream: int = 0, first: int = 0
) -> list[bytes]:
    """Return the frames on the line of utterances (T, F) of one stream.

    Args:
        tables: of host and board.
        utterances: float features.
        stream: which one.
        first: the number of the first utterance, counted on from the one before.

    Raises:
        ShapeError: an utterance is not of these tables, or there is no such stream.
    """
    if not 0 <= stream < tables.streams:
        raise ShapeError(f"stream {stream}", allowed=f"0 to {tables.streams - 1}")
    sent = []
    for number, utterance in enumerate(utterances, start=first):
        grouped = groups(tables, np.asarray(utterance))
        head = stream << UTTERANCE_BITS | number % (1 << UTTERANCE_BITS)
        last = (len(utterance) - 1) % tables.group
        for index, (bits, count) in enumerate(write(tables, tables.quantize(grouped))):
            frames = last if index == len(grouped) - 1 else tables.group - 1
            whole = (head << tables.count_bits | frames) << count | bits
            sent.append(frame(whole, tables.header_bits + count, tables.id))
    return sent


def frame(bits: int, count: int, table: int) -> bytes:
    """Return a frame of so many bits as it is sent, for the tables of an id."""
    more = -count % 8
    content = (bits << more).to_bytes((count + more) // 8, "big")
    whole = content + checksum(content, table).to_bytes(2, "big")
    stuffed = whole.replace(b"\x7d", b"\x7d\x5d").replace(b"\x7e", b"\x7d\x5e")
    return bytes([FLAG]) + stuffed


def checksum(content: bytes, start: int) -> int:
    """Return the CRC-16 of bytes; that of bytes and their checksum is 0."""
    value = start
    for byte in content:
        value = (value << 8 & 0xFFFF) ^ _TABLE[value >> 8 ^ byte]
    return value


def _of_byte(byte: int) -> int:
    value = byte << 8
    for _ in range(8):
        value = value << 1 ^ (_POLYNOMIAL if value & 0x8000 else 0)
    return value & 0xFFFF


_TABLE = [_of_byte(byte) for byte in range(256)]


class Receiver:
    """The board's end: bytes in, features out; what `ernn_link` does.

    A frame that is cut, damaged or of other tables is dropped and counted. Between frames, bytes
    that no flag came before count as one bad frame: theirs.
    """

    def __init__(self, tables: LinkTables) -> None:
        """Wait for a flag, as behind a reset."""
        self.tables = tables
        self.good = self.bad = 0
        self._frame: Generator[None, int, Received | None] | None = None
        self._check = 0
        self._escaped = False
        self._idle = True  # nothing came since the last frame that ended well
        self._utterances: dict[int, int] = {}

    def push(self, line: bytes) -> list[Received]:
        """Take bytes and return the frames that end in them."""
        received = []
        for byte in line:
            if byte == FLAG:
                self._begin()
            elif self._frame is None:
                self._drop()
            elif byte == ESCAPED and not self._escaped:
                self._escaped = True
            else:
                one = self._take(byte ^ CHANGED if self._escaped else byte)
                received += [one] if one else []
        return received

    def _begin(self) -> None:
        """Begin a frame; the one that has begun, if any, is cut."""
        if self._frame is not None:
            self.bad += 1
        self._frame, self._check, self._escaped = self._read(), self.tables.id, False
        self._idle = True
        next(self._frame)

    def _drop(self) -> None:
        """Pass over a byte outside a frame."""
        self.bad += self._idle
        self._idle = False

    def _take(self, byte: int) -> Received | None:
        assert self._frame is not None
        self._escaped = False
        self._check = checksum(bytes([byte]), self._check)
        try:
            for place in reversed(range(8)):
                self._frame.send(byte >> place & 1)
        except StopIteration as end:  # at the end of a byte
            self._frame = None
            one: Received | None = end.value
            if one is None:
                self._drop()
            else:
                self.good += 1
            return one
        return None

    def _read(self) -> Generator[None, int, Received | None]:
        """Read a frame bit by bit; return None if its checksum is not right."""
        tables, used = self.tables, 0

        def take(count: int) -> Generator[None, int, int]:
            nonlocal used
            value = 0
            for _ in range(count):
                value = value << 1 | (yield)
            used += count
            return value

        stream = yield from take(tables.stream_bits)
        utterance = yield from take(UTTERANCE_BITS)
        frames = (yield from take(tables.count_bits)) + 1
        indices, told = [], 1
        for rice, flag in zip(tables.rice.tolist(), tables.flagged.tolist(), strict=True):
            if flag:
                told = yield from take(1)
            number = ones = 0
            while told and ones < ESCAPE and (yield from take(1)):
                ones += 1
            if ones == ESCAPE:
                number = yield from take(tables.index_bits)
            elif told:
                number = ones << rice | (yield from take(rice))
            indices.append(unfolded(number % (1 << tables.index_bits)))
        yield from take(-used % 8)
        yield from take(CHECK_BITS - 1)
        yield  # the last bit, with which the byte's checksum is there
        if self._check:
            return None
        starts = self._utterances.get(stream) != utterance
        self._utterances[stream] = utterance
        raw = tables.restore(np.array([indices]))[0]
        return Received(stream, starts, raw.reshape(tables.group, -1)[:frames])
