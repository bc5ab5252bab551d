"""What the synthesizers say, and what the acoustics do to it."""

import itertools
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest

from ernn.errors import CorpusError, ToolError
from ernn.recipe import CorpusRecipe
from ernn.speech import acoustics, flite, speakers, synthetic, text
from ernn.speech import espeak as engine
from ernn.speech.espeak import Espeak, EspeakVoice
from ernn.speech.phones import PHONE_INDEX, PHONES, SILENCE
from ernn.speech.recording import Recording
from ernn.speech.speakers import SPLITS, VARIANTS, split_families

TINY = CorpusRecipe(train_minutes=0.1, dev_minutes=0.05, test_minutes=0.05)


def names(recording):
    return [PHONES[phone] for phone in recording.reference()]


def tone(hz, seconds=0.5):
    time = np.arange(round(seconds * acoustics.RATE)) / acoustics.RATE
    return np.sin(2 * np.pi * hz * time).astype(np.float32)


def test_espeak_says_the_right_phones_at_the_right_time():
    with Espeak() as espeak:
        said = espeak.say("See a shoe.", EspeakVoice("m1"))
    assert names(said) == ["sil", "s", "iy", "ah", "sh", "uw", "sil"]
    high = acoustics.resample(said)
    spectrum = [
        np.abs(np.fft.rfft(part)) ** 2 for part in np.split(high.audio, high.ends[:-1])
    ]  # one per phone
    above = {
        PHONES[phone]: power[3 * len(power) // 8 :].sum() / power.sum()
        for phone, power in zip(high.phones, spectrum, strict=True)
    }  # the share of power above 3 kHz
    assert above["s"] > 0.5 > 0.1 > above["iy"]
    assert above["sh"] > 0.1 > above["uw"]


def test_what_espeak_says_depends_on_nothing_said_before():
    with Espeak() as espeak:
        first = espeak.say("The quick brown fox.", EspeakVoice("Reed"))
        again = espeak.say("The quick brown fox.", EspeakVoice("Reed"))
    with Espeak() as espeak:
        fresh = espeak.say("The quick brown fox.", EspeakVoice("Reed"))
    assert np.array_equal(first.audio, fresh.audio)
    # If this ever fails, espeak has lost its memory and needs no private copies any more.
    assert not np.array_equal(first.audio, again.audio)


def test_an_unknown_phoneme_reaches_the_caller(monkeypatch):
    def refuse(mnemonic):
        raise CorpusError(f"{mnemonic!r} is not a known espeak-ng phoneme")

    monkeypatch.setattr("ernn.speech.espeak.fold_espeak", refuse)
    with Espeak() as espeak, pytest.raises(CorpusError, match="not a known"):
        espeak.say("Hello.", EspeakVoice("m1"))


def test_an_unknown_voice_is_a_tool_error():
    with Espeak() as espeak, pytest.raises(ToolError, match="has no voice"):
        espeak.say("Hello.", EspeakVoice("nobody of that name"))


def test_data_at_a_long_path_are_used_all_the_same(tmp_path, monkeypatch):
    """The library has 160 bytes for the path of its data."""
    with Espeak() as espeak:
        short = espeak.say("Hello.", EspeakVoice("m1"))
    deep = tmp_path / ("long" * 40)
    deep.symlink_to(engine._data())
    monkeypatch.setattr(engine, "_data", lambda: deep)
    with Espeak() as espeak:
        assert np.array_equal(espeak.say("Hello.", EspeakVoice("m1")).audio, short.audio)


def test_a_folder_that_nothing_can_be_loaded_from(monkeypatch):
    def refuse(path):
        raise OSError(f"{path}: failed to map segment from shared object")

    monkeypatch.setattr("ernn.speech.espeak.ctypes.CDLL", refuse)
    with pytest.raises(ToolError, match=r"failed to map .* mounted noexec or full, set TMPDIR"):
        Espeak()


def test_every_voice_speaks():
    with Espeak() as espeak:
        for variant in VARIANTS:
            said = espeak.say("Judge a cow.", EspeakVoice(variant))
            assert names(said) == ["sil", "jh", "ah", "jh", "ah", "k", "aw", "sil"], variant
            assert said.audio.std() > 0.01


SAY_WITH_ALL = """
import zlib
from ernn.speech.espeak import Espeak, EspeakVoice
from ernn.speech.speakers import VARIANTS
for variant in VARIANTS:
    with Espeak() as espeak:
        audio = espeak.say("Judge a cow.", EspeakVoice(variant)).audio
    print(variant, zlib.crc32(audio.tobytes()))
"""


def test_no_voice_reads_memory_that_nobody_wrote():
    told = [
        subprocess.run(
            [sys.executable, "-c", SAY_WITH_ALL],
            env={**os.environ, "MALLOC_PERTURB_": fill},  # what glibc fills fresh memory with
            capture_output=True,
            text=True,
            check=True,
        ).stdout.splitlines()
        for fill in ("50", "205")
    ]
    assert len(told[0]) == len(VARIANTS)
    assert told[0] == told[1]


def test_sentences_cover_every_phone_and_repeat_by_seed():
    rng = np.random.default_rng(1)
    sentences = [text.sentence(rng) for _ in range(120)]
    assert sentences[0] == text.sentence(np.random.default_rng(1))
    heard = set()
    with Espeak() as espeak:
        for sentence in sentences:
            heard.update(espeak.say(sentence, EspeakVoice("m1", rate_wpm=250)).phones.tolist())
    assert heard == set(range(39))


@pytest.mark.parametrize("with_flite", [False, True])
def test_no_voice_family_is_in_two_splits(with_flite):
    dealt = split_families(3, with_flite)
    voices = {split: list(itertools.chain(*dealt[split])) for split in SPLITS}
    every = VARIANTS + tuple(f"flite:{name}" for name in flite.VOICES) * with_flite
    assert sorted(itertools.chain(*voices.values())) == sorted(every)
    family = [{voice.rstrip("0123456789").lower() for voice in voices[split]} for split in SPLITS]
    assert all(family)
    assert not (family[0] & family[1] or family[0] & family[2] or family[1] & family[2])


def test_a_task_gives_the_same_recordings_wherever_it_is_done():
    task = synthetic.tasks(TINY, 5)["train"][0]
    with Espeak() as espeak:
        espeak.say("Something else before.", EspeakVoice("f1"))
    first = task.recordings()
    second = task.recordings()
    other = synthetic.tasks(TINY, 6)["train"][0].recordings()
    assert [name for name, _ in first] == [name for name, _ in second]
    for (_, a), (_, b) in zip(first, second, strict=True):
        assert np.array_equal(a.audio, b.audio)
        assert np.array_equal(a.ends, b.ends)
    assert not np.array_equal(first[0][1].audio, other[0][1].audio)
    said = [recording.seconds for _, recording in first]
    assert abs(sum(said) - task.seconds) <= said[-1] / 2


def test_resampling_keeps_labels_on_their_sounds():
    size = 22050
    audio = np.zeros(size, np.float32)
    audio[size // 2 :] = 1
    recording = Recording(
        audio, 22050, np.array([SILENCE, 0], np.int8), np.array([size // 2, size])
    )
    for factor in (0.88, 1.0, 1.14):
        slow = acoustics.resample(recording, factor)
        assert slow.rate == acoustics.RATE
        assert slow.ends[-1] == len(slow.audio) == pytest.approx(16000 * factor, rel=2e-3)
        step = np.flatnonzero(slow.audio > 0.5)[0]
        assert abs(step - slow.ends[0]) <= 1


def test_a_tilt_changes_levels_and_moves_nothing():
    pulse = np.zeros(4000, np.float32)
    pulse[2000] = 1
    assert np.abs(acoustics.tilt(pulse, 3.0)).argmax() == 2000
    for hz, gain_db in ((500, -3.0), (1000, 0.0), (4000, 6.0)):
        ratio = acoustics.tilt(tone(hz), 3.0)[2000:6000].std() / tone(hz)[2000:6000].std()
        assert 20 * np.log10(ratio) == pytest.approx(gain_db, abs=0.1)


@pytest.mark.parametrize("kind", acoustics.NOISES)
def test_noise_has_the_power_asked_for(kind):
    rng = np.random.default_rng(0)
    clean = tone(300) * 0.1
    sound = acoustics.noise(kind, len(clean), rng, tone(200, 0.1) * 7)
    added = acoustics.add_noise(clean, sound, 12.0) - clean
    assert 20 * np.log10(clean.std() / added.std()) == pytest.approx(12.0, abs=0.1)


def test_pink_noise_falls_3_db_per_octave():
    rng = np.random.default_rng(0)
    power = np.abs(np.fft.rfft(acoustics.noise("pink", 1 << 17, rng, np.zeros(1)))) ** 2
    low, high = power[1000:2000].mean(), power[8000:16000].mean()
    assert 10 * np.log10(low / high) == pytest.approx(9.0, abs=0.5)


def test_reverberation_starts_with_the_direct_sound():
    pulse = np.zeros(16000, np.float32)
    pulse[100] = 1
    heard = acoustics.reverberate(pulse, np.random.default_rng(0))
    assert np.abs(heard[:100]).max() < 1e-6
    assert np.abs(heard).argmax() == 100
    assert heard[1000:].std() > 1e-5


def test_a_missing_flite_is_told(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda program: None)
    with pytest.raises(ToolError, match="flite is not installed; install it"):
        synthetic.engines(with_flite=True)


MOCK_FLITE = """#!/bin/sh
if [ "$1" = --version ]; then echo "  version: flite-2.2-current"; exit 1; fi
while [ "$1" != -o ]; do shift; done
cp "$(dirname "$0")/said.wav" "$2"
echo "pau:0.1 hh:0.2 ax:0.3 l:0.4 ow:0.5 pau:0.7 "
"""


@pytest.fixture
def mock_flite(tmp_path, monkeypatch):
    import soundfile

    program = tmp_path / "flite"
    program.write_text(MOCK_FLITE)
    program.chmod(0o755)
    soundfile.write(tmp_path / "said.wav", tone(200, 0.6), acoustics.RATE)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")


def test_flite_labels_end_with_the_audio(mock_flite):
    said = flite.say("Hello.", flite.FliteVoice("slt"))
    assert names(said) == ["sil", "hh", "ah", "l", "ow", "sil"]
    assert said.ends.tolist() == [1600, 3200, 4800, 6400, 8000, 9600]  # clipped from 11200
    assert flite.version() == "2.2"
    assert len(synthetic.engines(with_flite=True)) == 2


def test_a_flite_speaker_is_made_like_any_other(mock_flite):
    speaker = speakers.draw_speaker("somebody", ("flite:slt",), np.random.default_rng(0))
    assert speaker.voice.name == "slt"
    said = synthetic._say(None, "Hello.", speaker.voice)
    assert PHONE_INDEX["hh"] in said.phones
