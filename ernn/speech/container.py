"""Is a file of audio whole?  What its container announces, beside what the file has.

libsndfile reads what is there and says nothing, so that of a copy that stopped half-way the first
half of an utterance would be learnt as the whole. Sources: the Multimedia Programming Interface 1.0
(RIFF), EBU Tech 3306 (RF64), AIFF 1.3, RFC 3533 (Ogg), the NIST SPHERE manual; sizes of pipes are
those that sox, ffmpeg and arecord write.
"""

import os
import re
from typing import BinaryIO, Literal

_FROM_A_PIPE = 0x7FFF_F000  # a length from here on was not known when the header was written
_JUNK = 4096  # bytes behind the last chunk that do not matter: tags of players, padding
_OGG_PAGE = 65_307  # bytes, the longest
_OGG_END = 4  # flag of a stream's last page
_MP3_TAGS = (b"Xing", b"Info", b"VBRI")


class Incomplete(ValueError):
    """The file has less than it announces, or more; the message says what."""


def announces_length(file: BinaryIO) -> bool:
    """Tell whether a file of audio says how long it is; if so, it is as long.

    True also for formats of which libsndfile notices by itself that something is missing.

    Args:
        file: open for reading; its position afterwards is anywhere.

    Raises:
        Incomplete: it is not as long as it says.
    """
    size = os.fstat(file.fileno()).st_size
    start = _at(file, 0, 12)
    form = start[:4]
    if form in (b"RIFF", b"RF64", b"BW64"):
        return _chunks(file, size, b"data", "little")
    if form in (b"RIFX", b"FORM"):
        return _chunks(file, size, b"data" if form == b"RIFX" else b"SSND", "big")
    if form == b"caff":
        return _chunks(file, size, b"data", "big", place=8, width=8)
    if form == b"riff":  # Sony Wave64: the first length is the file's
        return _sound(0, int.from_bytes(_at(file, 16, 8), "little"), size)
    if form == b".snd":
        return _sound(int.from_bytes(start[4:8], "big"), int.from_bytes(start[8:12], "big"), size)
    if form == b"NIST":
        return _sphere(_at(file, 0, 1024), size)
    if form == b"OggS":
        return _ogg(_at(file, max(size - _OGG_PAGE, 0), _OGG_PAGE))
    if start[:3] == b"ID3" or (start[:1] == b"\xff" and start[1:2] >= b"\xe0"):
        return _mp3(_at(file, _behind_id3(start), 200))
    return True


def _at(file: BinaryIO, place: int, count: int) -> bytes:
    file.seek(place)
    return file.read(count)


def _chunks(
    file: BinaryIO,
    size: int,
    sound: bytes,
    order: Literal["little", "big"],
    place: int = 12,
    width: int = 4,
) -> bool:
    """Walk the chunks of RIFF and its relatives: each four letters, a length, and so many bytes.

    Args:
        file: the file.
        size: its bytes.
        sound: name of the chunk that holds the samples.
        order: of the bytes of a length.
        place: of the first chunk.
        width: bytes of a length; those of 4 are padded to even.
    """
    long, known = 0, False
    while place + 4 + width <= size:
        head = _at(file, place, 24)
        name, length = head[:4], int.from_bytes(head[4 : 4 + width], order)
        if not re.fullmatch(rb"[ -~]{4}", name):
            break
        if name == b"ds64":
            long = int.from_bytes(head[16:24], "little")  # of the sound, where 32 bits are few
        elif name == sound:
            length = long if long and length == 0xFFFF_FFFF else length
            if length >= _FROM_A_PIPE and place + 4 + width + length > size:
                return False
            known = True
        place += 4 + width
        if place + length > size:
            raise Incomplete(f"{name.decode()!r} announces {length} bytes, {size - place} left")
        place += length + (length % 2 if width == 4 else 0)
    if known and size - place > _JUNK:
        raise Incomplete(f"{size - place} bytes behind the end of the sound that is announced")
    return known


def _sound(start: int, length: int, size: int) -> bool:
    """Check sound that is all that follows a header."""
    if length >= _FROM_A_PIPE:
        return False
    if start + length > size:
        raise Incomplete(f"{length} bytes of sound announced, {max(size - start, 0)} left")
    return True


def _sphere(header: bytes, size: int) -> bool:
    """Check a file of NIST: fields such as ``sample_count -i 46797``; text, 1024 bytes or more."""
    fields = {
        name: int(value)
        for name, value in re.findall(rb"^(\w+) -i (\d{1,18})\s*$", header, re.MULTILINE)
    }
    start = re.match(rb"NIST_1A\n\s*(\d{1,9})\n", header)
    count = fields.get(b"sample_count")
    if start is None or count is None:
        return False
    bytes_each = fields.get(b"sample_n_bytes", 2) * fields.get(b"channel_count", 1)
    return _sound(int(start[1]), count * bytes_each, size)


def _ogg(end: bytes) -> bool:
    """Check that the last page is a stream's last one, and whole."""
    place = end.rfind(b"OggS")
    page = end[place:]
    if place < 0 or len(page) < 27:
        raise Incomplete("the last page of the stream is missing")
    segments = page[27 : 27 + page[26]]
    if len(segments) < page[26] or len(page) < 27 + page[26] + sum(segments):
        raise Incomplete("its last page is not whole")
    if not page[5] & _OGG_END:
        raise Incomplete("the last page of the stream is missing")
    return True


def _mp3(frame: bytes) -> bool:
    """Check that the first frame tells how many there are: without, libsndfile guesses."""
    if not any(tag in frame for tag in _MP3_TAGS):
        raise Incomplete("an MP3 without the header that says how long it is")
    return True


def _behind_id3(start: bytes) -> int:
    """Return where the first frame of an MP3 begins, behind the tag that may stand before it."""
    if start[:3] != b"ID3":
        return 0
    length = 0
    for byte in start[6:10]:
        length = length << 7 | byte & 0x7F
    return 10 + length
