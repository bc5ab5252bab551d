"""Files of audio: what is read, in which locale, and that no copy cut short goes unnoticed."""

import gzip
import struct
import subprocess
import sys
import unicodedata
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from ernn.errors import CorpusError
from ernn.speech.audio import Part, digest, located, read_audio
from ernn.speech.container import Incomplete, announces_length

RATE = 8_000
AUDIO = np.random.default_rng(3).integers(-8_000, 8_000, RATE).astype(np.float32) / 32_768

# What soundfile writes and ernn reads, with what may be kept of the samples.
WHOLE = {
    "wav": ({}, 1e-4),
    "WAV": ({"subtype": "PCM_24"}, 1e-6),
    "wav32": ({"format": "WAV", "subtype": "FLOAT"}, 0),
    "wavex": ({"format": "WAVEX", "subtype": "PCM_16"}, 1e-4),
    "wavu": ({"format": "WAV", "subtype": "ULAW"}, 0.02),
    "rifx": ({"format": "WAV", "endian": "BIG"}, 1e-4),
    "rf64": ({"format": "RF64"}, 1e-4),
    "w64": ({}, 1e-4),
    "caf": ({}, 1e-4),
    "aiff": ({}, 1e-4),
    "au": ({}, 1e-4),
    "sph": ({"format": "NIST", "subtype": "PCM_16"}, 1e-4),
    "flac": ({}, 1e-4),
    "ogg": ({}, 0.5),
    "opus": ({"format": "OGG", "subtype": "OPUS"}, 0.5),
    "mp3": ({}, 0.5),
}
each_form = pytest.mark.parametrize("form", WHOLE)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """One recording in every form."""
    folder = tmp_path_factory.mktemp("audio")
    for form, (options, _) in WHOLE.items():
        soundfile.write(folder / f"x.{form}", AUDIO, RATE, **options)
    return folder


@each_form
def test_every_form_is_read(folder, form):
    audio, origin = read_audio(folder / f"x.{form}")
    assert (origin.rate, origin.remarks, len(audio)) == (RATE, (), RATE)
    np.testing.assert_allclose(audio, AUDIO, atol=WHOLE[form][1])


@each_form
@given(data=st.data())
def test_a_file_that_is_cut_off_is_refused(folder, form, data):
    whole = (folder / f"x.{form}").read_bytes()
    # Of an MP3 that lacks nothing but its last frame, the part that counts may be whole.
    spare = 2 if form != "mp3" else 1000
    size = data.draw(st.integers(0, len(whole) - spare))
    path = folder / f"cut.{form}"
    path.write_bytes(whole[:size])
    with pytest.raises(CorpusError) as told:
        read_audio(path)
    assert "\n" not in str(told.value) and told.value.fault.what.startswith(str(path))


def wav(announced, sound=AUDIO, riff=None, behind=b""):
    """Return a WAV whose header says that so many bytes of sound follow."""
    content = (sound * 32_767).astype("<i2").tobytes()
    head = struct.pack("<4sI4s4sIHHIIHH", b"RIFF", riff or 36 + len(content), b"WAVE", b"fmt ", 16,
                       1, 1, RATE, 2 * RATE, 2, 16)  # fmt: skip
    return head + struct.pack("<4sI", b"data", announced) + content + behind


@pytest.mark.parametrize("announced", [0xFFFF_FFFF, 0x7FFF_F000, 0x8000_0000, 0x7FFF_FFFF])
def test_a_wav_from_a_pipe_is_read_to_its_end_and_noted(tmp_path, announced):
    path = tmp_path / "x.wav"
    path.write_bytes(wav(announced))
    audio, origin = read_audio(path)
    assert len(audio) == RATE
    (remark,) = origin.remarks
    assert "header does not say how long" in remark


@pytest.mark.parametrize("announced", [2 * RATE + 1, 2 * RATE + 2, 4 * RATE, 0x7FFF_EFFF])
def test_a_header_that_announces_more_is_refused(tmp_path, announced):
    path = tmp_path / "x.wav"
    path.write_bytes(wav(announced))
    with pytest.raises(CorpusError) as told:
        read_audio(path)
    assert told.value.fault.given == f"'data' announces {announced} bytes, {2 * RATE} left"


@pytest.mark.parametrize("announced", [0, 2, RATE])
def test_a_header_that_announces_less_is_refused(tmp_path, announced):
    """As a recorder leaves it that was switched off before it wrote the length."""
    path = tmp_path / "x.wav"
    path.write_bytes(wav(announced))
    with pytest.raises(CorpusError, match="is damaged"):
        read_audio(path)


def test_chunks_and_tags_behind_the_sound_do_not_matter(tmp_path):
    path = tmp_path / "x.wav"
    for behind in (b"LIST\x04\0\0\0INFO", b"TAG" + bytes(125), bytes(512)):
        path.write_bytes(wav(2 * RATE, behind=behind))
        assert len(read_audio(path)[0]) == RATE


def test_an_mp3_that_does_not_say_how_long_it_is_is_refused(folder, tmp_path):
    whole = (folder / "x.mp3").read_bytes()
    path = tmp_path / "x.mp3"
    path.write_bytes(whole[whole.index(b"\xff", 100) :])
    with pytest.raises(CorpusError, match="MP3 without the header"):
        read_audio(path)
    path.write_bytes(b"ID3\x04\0\0\0\0\1\0" + bytes(128) + whole)
    assert len(read_audio(path)[0]) == RATE


@given(st.binary(max_size=200), st.sampled_from([b"RIFF", b"RF64", b"FORM", b"NIST_1A\n",
       b".snd", b"OggS", b"ID3", b"\xff\xfb", b"fLaC", b"riff", b"caff", b""]))  # fmt: skip
def test_any_bytes_are_refused_in_one_sentence(folder, content, magic):
    path = folder / "bytes"
    path.write_bytes(magic + content)
    with pytest.raises(CorpusError) as told:
        read_audio(path)
    assert "\n" not in str(told.value)


@given(st.floats(0, 0.9), st.floats(0.01, 1))
def test_a_part_is_a_slice(folder, offset, duration):
    duration = min(duration, 1 - offset)
    audio, _ = read_audio(folder / "x.wav32", Part(offset, duration))
    assert np.array_equal(audio, AUDIO[round(offset * RATE) : round((offset + duration) * RATE)])


@pytest.mark.parametrize(("channel", "given"), [(None, "3 channels"), (3, "channel = 3")])
def test_a_channel_must_be_named(tmp_path, channel, given):
    stereo = np.stack([AUDIO, AUDIO[::-1], -AUDIO], 1)
    soundfile.write(tmp_path / "x.wav", stereo, RATE, subtype="FLOAT")
    for number in range(3):
        audio, _ = read_audio(tmp_path / "x.wav", Part(channel=number))
        assert np.array_equal(audio, stereo[:, number])
    with pytest.raises(CorpusError) as told:
        read_audio(tmp_path / "x.wav", Part(channel=channel))
    assert given in told.value.fault.given
    assert told.value.fault.allowed == "channel = 0 to 2"


@pytest.mark.parametrize("value", [0.0, 0.25, -1.0])
def test_a_hole_is_noted(tmp_path, value):
    path = tmp_path / "x.wav"
    for samples, noted in ((3_900, 0), (4_100, 1)):  # half a second is 4,000
        holed = AUDIO.copy()
        holed[1_000 : 1_000 + samples] = value
        soundfile.write(path, holed, RATE)
        assert len(read_audio(path)[1].remarks) == noted


def test_a_compressed_file_gets_the_remedy(folder, tmp_path):
    path = tmp_path / "x.wav.gz"
    path.write_bytes(gzip.compress((folder / "x.wav").read_bytes()))
    with pytest.raises(CorpusError) as told:
        read_audio(path)
    assert told.value.fault.remedy == "unpack it with gunzip"


def test_copies_have_one_digest_and_others_another(folder):
    found = {form: read_audio(folder / f"x.{form}")[1].digest for form in WHOLE}
    assert found["wav"] == found["wav32"] == found["flac"] == found["sph"]
    assert found["wav"] != found["wavu"] != found["mp3"]
    assert digest(AUDIO) != digest(AUDIO[:, None]) != digest(AUDIO[1:])


NAMES = ["\u0283-0.wav", "t\u00ef.wav", unicodedata.normalize("NFD", "t\u00efny.wav"), "a b.wav"]


@pytest.mark.parametrize("name", NAMES, ids=ascii)
@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_an_accent_may_be_one_character_or_two(folder, tmp_path, name, form):
    (tmp_path / name).write_bytes((folder / "x.wav").read_bytes())
    path = located(tmp_path, unicodedata.normalize(form, name))
    assert path.is_file() and len(read_audio(path)[0]) == RATE


def test_a_name_that_is_not_there_stays_what_it_is(tmp_path):
    for name in ("gone.wav", "\u0283.wav", "nul\0.wav"):
        assert located(tmp_path, name) == tmp_path / name


@pytest.mark.parametrize("locale", ["ascii", "utf-8"])
def test_every_locale_reads_every_name(folder, tmp_path, locale):
    """In a process of its own, because Python takes its locale at the start."""
    for name in NAMES:
        (tmp_path / name).write_bytes((folder / "x.wav").read_bytes())
    code = (
        "import sys; from pathlib import Path; from ernn.speech.audio import located, read_audio\n"
        "assert sys.getfilesystemencoding() == sys.argv[2]\n"
        f"for name in {NAMES!a}: print(len(read_audio(located(Path(sys.argv[1]), name))[0]))\n"
    )
    environment = {"PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": str(int(locale == "utf-8"))}
    told = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path), locale],
        env={"LC_ALL": "C", "PYTHONPATH": str(Path(__file__).parents[2]), **environment},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert told.stdout.split() == [str(RATE)] * len(NAMES), told.stderr


def test_a_file_that_is_whole_says_so(folder):
    for form in WHOLE:
        with (folder / f"x.{form}").open("rb") as file:
            assert announces_length(file)
    with (folder / "short.au").open("w+b") as file:
        file.write(b".snd" + struct.pack(">II", 24, 100) + bytes(60))
        file.flush()
        with pytest.raises(Incomplete, match="100 bytes of sound announced, 48 left"):
            announces_length(file)
